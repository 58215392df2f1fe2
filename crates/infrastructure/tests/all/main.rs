//! Every adapter against what its port promises, in one binary. Tests that need a server are ignored and say which.

mod crypto;
