//! The `devskyy` binary; its code is in the library.

fn main() -> std::process::ExitCode {
    devskyy_server::main()
}
