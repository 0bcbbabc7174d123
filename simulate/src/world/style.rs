//! How the same day may be logged and delivered.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(format!("expected one of {}", [$($text,)*].join(", "))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

choices! {
    /// What worker lines look like.
    Style {
        /// `queue:work --json`, Laravel 11.27 and later: uuids. The app logs JSON, too.
        Json = "json",
        /// `queue:work -v`, Laravel 12.20 and later: ids.
        Verbose = "verbose",
        /// `queue:work`, Laravel 9.41 and later: no ids.
        Text = "text",
        /// `[time][id] Processing:`, Laravel 5.6 to 9.20: ids, and no line for an attempt that is tried again.
        Bracket = "bracket",
    }
}

choices! {
    /// Where lines are written.
    Layout {
        /// Workers in a log group of their own.
        Separate = "separate",
        /// Workers inside the app's containers, and so in its streams.
        Shared = "shared",
    }
}

choices! {
    /// What befalls lines on the way.
    Chaos {
        /// Seconds pass, sometimes more.
        None = "none",
        /// A share of the payloads comes twice, or overlaps the one before it, or up to a minute late, so in no order;
        /// and each container's clock is off by up to two seconds.
        Delivery = "delivery",
        /// A fifth of what workers print is lost.
        Loss = "loss",
    }
}
