//! How much lines say for a cause.

use serde::{Deserialize, Serialize};

/// How much lines say for a cause. Within one weight the order of the rules decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Nothing speaks against it.
    #[default]
    Conceivable,
    /// It is what is left.
    Fallback,
    /// Something hints at it.
    Possible,
    /// Something points at it, and at little else.
    Likely,
    /// Lines show what it would show.
    Strong,
    /// Lines say it.
    Shown,
}
