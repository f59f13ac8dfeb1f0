//! The flags of `append` that say what people call those whom an event is about.

use auditdb::Performer;
use auditdb::Subject;
use clap::Args;

/// What people call subject and performer, and who the performer is elsewhere.
#[derive(Args)]
pub(super) struct NameWords {
    /// What people call the performer
    #[arg(
        long,
        value_name = "X",
        requires = "performer",
        allow_hyphen_values = true
    )]
    performer_label: Option<String>,
    /// The performer's e-mail address
    #[arg(
        long,
        value_name = "X",
        requires = "performer",
        allow_hyphen_values = true
    )]
    performer_email: Option<String>,
    /// The performer's organisation, where it is not the event's
    #[arg(
        long,
        value_name = "X",
        requires = "performer",
        allow_hyphen_values = true
    )]
    performer_org: Option<String>,
    /// The performer's name in another system
    #[arg(
        long,
        value_name = "X",
        requires = "performer",
        allow_hyphen_values = true
    )]
    performer_external_ref: Option<String>,
    /// What people call the subject
    #[arg(
        long,
        value_name = "X",
        requires = "subject",
        allow_hyphen_values = true
    )]
    subject_label: Option<String>,
    /// The subject's name in another system
    #[arg(
        long,
        value_name = "X",
        requires = "subject",
        allow_hyphen_values = true
    )]
    subject_external_ref: Option<String>,
}

impl NameWords {
    pub(super) fn of_performer(&self, mut performer: Performer) -> Performer {
        let given = [
            (&mut performer.label, &self.performer_label),
            (&mut performer.email, &self.performer_email),
            (&mut performer.org, &self.performer_org),
            (&mut performer.external_ref, &self.performer_external_ref),
        ];
        for (field, text) in given {
            text.iter().for_each(|text| *field = text.clone().into());
        }
        performer
    }

    pub(super) fn of_subject(&self, mut subject: Subject) -> Subject {
        let given = [
            (&mut subject.label, &self.subject_label),
            (&mut subject.external_ref, &self.subject_external_ref),
        ];
        for (field, text) in given {
            text.iter().for_each(|text| *field = text.clone().into());
        }
        subject
    }
}
