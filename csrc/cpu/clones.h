// Hand-written loops compiled once per instruction set; the best one is bound at load.
#pragma once

// A sanitizer's runtime is not up yet when the choice is made.
#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define KAGARI_CLONES __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#else
#define KAGARI_CLONES
#endif
