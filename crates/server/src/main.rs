//! The `devskyy` binary; everything it does is in the library beside it.

fn main() -> std::process::ExitCode {
    devskyy_server::main()
}
