// Digests as text, and comparisons whose time tells nothing about what is compared.

#include "internal.h"

int csha256_equal(const uint8_t *a, const uint8_t *b, size_t n) {
    unsigned difference = 0;
    for (size_t i = 0; i < n; i++) difference |= a[i] ^ b[i];
    return difference == 0;
}

ALWAYS_INLINE uint8_t hex_digit(unsigned nibble) {
    const unsigned is_letter = (nibble + 6) >> 4;
    return (uint8_t)(nibble + '0' + is_letter * ('a' - '0' - 10));
}

void csha256_hex(const uint8_t *in, uint8_t *out) {
    for (int i = 0; i < DIGEST; i++) {
        out[2 * i] = hex_digit(in[i] >> 4);
        out[2 * i + 1] = hex_digit(in[i] & 15);
    }
}

int csha256_hex_equal(const uint8_t *digest, const uint8_t *hex64) {
    uint8_t hex[HEX];
    csha256_hex(digest, hex);
    return csha256_equal(hex, hex64, HEX);
}
