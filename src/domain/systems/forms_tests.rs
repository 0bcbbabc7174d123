//! Every form, in every place that must know it: its lines are read, and `explain` knows what is nearly one.

use super::*;
use crate::domain::job::{LineKey, Stage, Timestamp};

/// A classifier that reads every form, the rules' own included.
fn classifier() -> Classifier {
    let rule = RuleSpec {
        name: "avatar requested".into(),
        stage: Stage::Enqueued,
        pattern: Some(r#""POST /avatars/(?:store|regenerate) HTTP/1\.[01]" 302"#.into()),
        json: None,
        class: None,
        queue: None,
        connection: None,
        example: None,
    };
    Classifier::new(Vec::new(), vec![Rule::compile(rule).expect("a good rule")])
}

#[test]
fn every_form_owns_a_line_that_is_read_in_it() {
    let classifier = classifier();
    for &name in Form::ALL {
        let samples = form(name).samples;
        assert!(!samples.is_empty(), "{name:?} has no captured line in its system's `forms.rs`");
        for sample in samples {
            let mut reader = classifier.stream("/ecs/app", "ecs/app/1");
            for (number, line) in (0..).zip(sample.before) {
                reader.line(LineKey(number), Timestamp::default(), line);
            }
            reader.line(LineKey(99), Timestamp::default(), sample.line);
            let read = reader.finish().observations;
            let last = read.last().map(|seen| (seen.form, seen.stage));
            assert_eq!(
                last,
                Some((name, sample.stage)),
                "{name:?} is not read at the gate of its reader: {}",
                sample.line
            );
        }
    }
}

#[test]
fn explain_knows_what_is_nearly_a_form() {
    let classifier = classifier();
    for &name in Form::ALL.iter().filter(|name| **name != Form::Rule) {
        for sample in form(name).samples {
            let told = classifier.explain("", "", sample.near);
            assert_eq!(told.observation, None, "{name:?}: {}", sample.near);
            assert!(
                told.nearest.is_some(),
                "{name:?} is not known to its system's `near_miss.rs`: {}",
                sample.near
            );
        }
    }
}
