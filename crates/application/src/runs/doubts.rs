use devskyy_domain::{
    kernel::ids::OperationId,
    runs::{Call, Callee, Place},
};

/// A call of which nobody knows what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtView {
    /// Where it was made.
    pub place: Place,
    /// Its id, which a verdict is addressed to.
    pub operation: OperationId,
    /// The tool it called.
    pub tool: String,
}

impl DoubtView {
    /// What people see of a call in doubt.
    #[must_use]
    pub fn of(place: &Place, call: &Call) -> Self {
        let (Callee::Tool(tool) | Callee::Model(tool)) = &call.callee;
        Self { place: place.clone(), operation: call.operation, tool: tool.clone() }
    }
}
