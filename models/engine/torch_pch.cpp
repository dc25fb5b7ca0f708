// Compiles the precompiled LibTorch header.
