//! Reading a snapshot: what to look at, in which order, and where a reader goes on. Decides and
//! reads; changes nothing. Cost follows what is returned, not what is stored.

mod batch;
mod cursor;
mod effects;
mod facets;
mod history;
mod iter;
mod meeting;
mod org_view;
mod page;
mod plan;
mod reading;
mod rows;
mod scan;
mod selection;
mod tail;
mod tally;
mod view;

pub(crate) use batch::Batch;
pub(crate) use batch::Batches;
pub(crate) use batch::Blocks;
pub use cursor::Cursor;
pub use effects::Effect;
pub use effects::EffectBounds;
pub use effects::Effects;
pub use facets::FacetCursor;
pub use facets::FacetOrder;
pub use facets::FacetQuery;
pub use facets::FacetValue;
pub use facets::Facets;
pub use history::AttributeChange;
pub use history::AttributeState;
pub use history::ChangedBy;
pub use history::History;
pub use iter::Scan;
pub use org_view::OrgView;
pub use page::Order;
pub use page::Page;
pub use page::Query;
pub use page::Stopped;
pub use scan::Looked;
pub use tail::Tail;
pub use view::ChangeView;
pub use view::EntityView;
pub use view::EventView;
pub use view::OriginView;
