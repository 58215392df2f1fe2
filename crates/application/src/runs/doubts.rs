use devskyy_domain::{
    kernel::ids::OperationId,
    runs::{Call, Callee, Place},
};

/// A call whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtView {
    /// Its place in the run.
    pub place: Place,
    /// Its id, to which a verdict is addressed.
    pub operation: OperationId,
    /// The tool it called.
    pub tool: String,
}

impl DoubtView {
    /// The view of a call in doubt.
    #[must_use]
    pub fn of(place: &Place, call: &Call) -> Self {
        let (Callee::Tool(tool) | Callee::Model(tool)) = &call.callee;
        Self { place: place.clone(), operation: call.operation, tool: tool.clone() }
    }
}
