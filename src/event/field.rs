//! The three states of an optional field, kept apart from the native line to the disk and back.

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;

/// An optional field: absent, null, or a value (which may be empty).
///
/// ```
/// use auditdb::Field;
///
/// let reason: Field<String> = Field::from("");
/// assert_eq!(reason.as_deref(), Some(""));
/// assert_eq!(Field::<String>::Null.as_deref(), None);
/// assert!(!Field::<String>::Null.is_absent());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Field<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// The key is there and its value is null.
    Null,
    /// The key is there with this value.
    Value(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Field::Value(value) => Some(value),
            Field::Absent | Field::Null => None,
        }
    }

    /// The value as what it borrows as, if there is one.
    pub fn as_deref(&self) -> Option<&T::Target>
    where
        T: core::ops::Deref,
    {
        self.value().map(T::deref)
    }

    /// The key is not there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    /// The key is there and its value is null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Field::Null)
    }

    /// The same state of another type.
    #[inline]
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Field::Absent => Field::Absent,
            Field::Null => Field::Null,
            Field::Value(value) => Field::Value(change(value)),
        }
    }

    /// The value, put there first if there is none.
    pub(crate) fn get_or_insert_default(&mut self) -> &mut T
    where
        T: Default,
    {
        if self.value().is_none() {
            *self = Field::Value(T::default());
        }
        match self {
            Field::Value(value) => value,
            Field::Absent | Field::Null => unreachable!("a value was put there just now"),
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Field<T> {
        Field::Value(value)
    }
}

impl From<&str> for Field<String> {
    fn from(value: &str) -> Field<String> {
        Field::Value(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Field::Value(value) => value.serialize(serializer),
            Field::Absent | Field::Null => serializer.serialize_unit(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Field<T>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Field::Null, Field::Value))
    }
}
