"""Other programs that do what our kernels do. Each imports its library inside its functions; one thread each."""
