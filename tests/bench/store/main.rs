//! Warm.
use devskyy_domain as _;
use devskyy_infrastructure as _;
fn main() {}
