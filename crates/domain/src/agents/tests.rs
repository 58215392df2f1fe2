//! What must hold for agents.
