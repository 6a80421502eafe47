//! The address of a document whose signature has expired: the agenda that named it tells a fresh one.

use crate::{
    civic::{
        Services,
        model::{ParsedItem, WebUrl, unsigned},
        record::{Purpose, Scope},
        store::{
            RefId, cities, meetings,
            refs::{self, Place},
        },
        vendor::{self, VendorError},
    },
    fleet::handler::{Context, HandlerError},
};

/// Asks the agenda of a reference's meeting for the reference's address. None: it never had a signature, or no agenda of items
/// names it; what a page led to is found again only behind that page.
pub(super) async fn fresh(
    services: &Services,
    reference: RefId,
    ctx: &Context,
) -> Result<Option<WebUrl>, HandlerError> {
    let db = services.db().await?;
    let Some(place) = refs::place(&*db, reference).await?.filter(|place| place.signed && place.found_in.is_none())
    else {
        return Ok(None);
    };
    let city = cities::find(&*db, &place.city).await?;
    let meeting = meetings::find(&*db, &place.city, &place.meeting_id).await?;
    drop(db);
    let Some(meeting) = meeting else { return Ok(None) };
    let source = &city.city.source;
    let http = services.http_for(Scope::new(Purpose::Agenda, source.vendor, ctx.job.0).of(city.id));
    let site = vendor::open(&http, source, city.synced_at.is_some())?;
    let Some(call) = site.agenda(&meeting.listing) else { return Ok(None) };
    let agenda = services.ask(&site.group(), source.vendor, VendorError::reach, call).await?;
    Ok(find(&agenda.values, &place))
}

/// The attachment with the same address but for its signature; else the one of the same name at the same item.
fn find(items: &[ParsedItem], place: &Place) -> Option<WebUrl> {
    let attachments =
        || items.iter().flat_map(|item| item.attachments.iter().map(move |attachment| (item, attachment)));
    let plain = |url: &WebUrl| unsigned(url.as_str()).unwrap_or_else(|| url.to_string());
    let same = attachments().find(|(_, attachment)| plain(&attachment.url) == place.url);
    let named = || {
        attachments()
            .find(|(item, attachment)| Some(&item.vendor_id) == place.item_id.as_ref() && attachment.name == place.name)
    };
    same.or_else(named).map(|(_, attachment)| attachment.url.clone())
}
