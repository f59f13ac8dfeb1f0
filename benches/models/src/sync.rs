//! The locks of a model checker in the manners of `parking_lot`, which the store uses.

use core::ops::Deref;
use core::ops::DerefMut;

use super::base;

pub(super) use base::Arc;

pub(super) struct Mutex<T>(base::Mutex<T>);

pub(super) struct Guard<'a, T>(Option<base::MutexGuard<'a, T>>);

pub(super) struct Condvar(base::Condvar);

impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Mutex<T> {
        Mutex(base::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> Guard<'_, T> {
        Guard(Some(self.0.lock().unwrap()))
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

impl Condvar {
    pub(super) fn new() -> Condvar {
        Condvar(base::Condvar::new())
    }

    pub(super) fn wait<T>(&self, guard: &mut Guard<'_, T>) {
        let held = guard.0.take().unwrap();
        guard.0 = Some(self.0.wait(held).unwrap());
    }

    pub(super) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(super) fn notify_all(&self) {
        self.0.notify_all();
    }
}
