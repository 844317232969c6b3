// Hand-written loops compiled once per instruction set; the best one is bound at load.
#pragma once

// The choice is made by features: "arch=skylake-avx512" would be one maker's processors only.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define KAGARI_AVX512 "arch=x86-64-v4"
#else
#define KAGARI_AVX512 "avx512f"
#endif

// A sanitizer's runtime is not up yet when the choice is made.
#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define KAGARI_CLONES __attribute__((target_clones("default", "avx2", KAGARI_AVX512)))
#else
#define KAGARI_CLONES
#endif
