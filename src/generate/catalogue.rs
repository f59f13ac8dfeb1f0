//! The 45 event types of the realistic profile, from the most frequent to the rarest, with what
//! each is about and what it carries. Most are the events of users, groups, roles, logins and
//! address lists that administration trails of products record.

use crate::event::Outcome;

/// What an event type's subject is; its discriminant is its place in [`SUBJECTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    User,
    Group,
    Role,
    Login,
    Address,
}

/// What an event type carries beside the fields that all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// One to three changes of the subject's attributes.
    Changes,
    /// A session and how it was opened.
    Session,
    /// What was looked at or taken out.
    Look,
    /// What was made or taken away.
    Thing,
    /// A second subject, a member that was added or removed.
    Member,
    /// The user that the performer acted as.
    Mask,
}

/// One event type.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) sub_type: &'static str,
    pub(super) about: About,
    pub(super) carries: Carries,
    /// The outcome that the type's own name tells; any other type ends in one way or another.
    pub(super) outcome: Option<Outcome>,
}

/// Kinds of subject and the prefix of their ids, in the order of [`About`].
pub(super) const SUBJECTS: [(&str, &str); 5] = [
    ("user", "usr_"),
    ("user_group", "grp_"),
    ("role", "rol_"),
    ("confidential_login", "cfl_"),
    ("ip_allow", "ipa_"),
];

const fn kind(name: &'static str, sub_type: &'static str, about: About, carries: Carries) -> Kind {
    Kind {
        name,
        sub_type,
        about,
        carries,
        outcome: None,
    }
}

const fn ends(kind: Kind, outcome: Outcome) -> Kind {
    Kind {
        outcome: Some(outcome),
        ..kind
    }
}

use About::Address;
use About::Group;
use About::Login;
use About::Role;
use About::User;
use Carries::Changes;
use Carries::Look;
use Carries::Mask;
use Carries::Member;
use Carries::Session;
use Carries::Thing;

#[rustfmt::skip]
pub(super) const KINDS: [Kind; 45] = [
    kind("session.login.succeeded", "", User, Session),
    kind("user.viewed", "", User, Look),
    kind("user.updated", "", User, Changes),
    kind("session.logout", "", User, Session),
    kind("role.updated", "", Role, Changes),
    kind("session.refreshed", "", User, Session),
    kind("group.updated", "", Group, Changes),
    ends(kind("session.login.failed", "", User, Session), Outcome::Failure),
    kind("role.user_added", "member", Role, Member),
    kind("user.exported", "", User, Look),
    kind("confidential_login.updated", "", Login, Changes),
    kind("session.confidential.succeeded", "", Login, Session),
    kind("user.added", "invited", User, Thing),
    kind("role.state_permission.updated", "state", Role, Changes),
    kind("group.user_added", "member", Group, Member),
    kind("session.mfa.succeeded", "second_factor", User, Session),
    kind("user.password_changed", "", User, Thing),
    kind("group.user_removed", "member", Group, Member),
    kind("role.user_removed", "member", Role, Member),
    kind("ip_allow.viewed", "", Address, Look),
    kind("role.state_permission.added", "state", Role, Thing),
    kind("user.impersonated", "", User, Mask),
    kind("ip_allow.added", "", Address, Thing),
    kind("ip_allow.updated", "", Address, Changes),
    kind("api_key.created", "key", User, Thing),
    kind("user.dw_password_regenerated", "", User, Thing),
    kind("role.state_permission.removed", "state", Role, Thing),
    kind("role.group_added", "member", Role, Member),
    kind("group.added", "", Group, Thing),
    ends(kind("session.mfa.failed", "second_factor", User, Session), Outcome::Failure),
    kind("confidential_login.added", "", Login, Thing),
    kind("confidential_login.url_regenerated", "", Login, Thing),
    kind("role.state_trigger.added", "state", Role, Thing),
    kind("user.locked_out", "", User, Session),
    ends(kind("session.confidential.denied", "", Login, Session), Outcome::Denied),
    kind("role.group_removed", "member", Role, Member),
    kind("ip_allow.removed", "", Address, Thing),
    kind("role.state_trigger.removed", "state", Role, Thing),
    kind("api_key.deleted", "key", User, Thing),
    kind("role.added", "", Role, Thing),
    kind("user.removed", "", User, Thing),
    kind("confidential_login.deleted", "", Login, Thing),
    kind("group.deleted", "", Group, Thing),
    kind("role.deleted", "", Role, Thing),
    ends(kind("user.impersonation_denied", "", User, Mask), Outcome::Denied),
];
