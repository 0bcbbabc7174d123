//! The webhooks that a configuration names, and whether this machine can tell whom it speaks to.

use queuewatch::adapters::notify::{Webhook, can_check};
use queuewatch::config::Notify;
use queuewatch::domain::model::channel::Channel;

use crate::output;
use crate::replay::chain;

/// The webhooks of `[notify]`.
pub(super) fn webhooks(notify: &Notify) -> Vec<Webhook> {
    let plain = |channel: Channel, url: &Option<String>| {
        url.clone().map(|url| Webhook { channel, url, routing_key: None })
    };
    let pager = notify.pagerduty.as_ref().map(|pager| Webhook {
        channel: Channel::PagerDuty,
        url: pager.url.clone(),
        routing_key: Some(pager.routing_key.clone()),
    });
    [
        plain(Channel::Webhook, &notify.webhook),
        plain(Channel::Slack, &notify.slack),
        plain(Channel::Teams, &notify.teams),
        pager,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Says that there is no root certificate, where one is needed. That is no reason to end: what is printed is still
/// heard, and a bundle that is installed later counts at once.
pub(super) fn tell_if_unchecked(webhooks: &[Webhook]) {
    if let Some(error) = webhooks.iter().find_map(|webhook| can_check(&webhook.url).err()) {
        output::tell(&format!("queuewatch: [notify]: {}", chain(&error)));
    }
}
