//! What must hold for projects.
