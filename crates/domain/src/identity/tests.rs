//! What must hold for identity.
