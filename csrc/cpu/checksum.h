// The checksum that zip archives carry.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kagari::cpu {

/// CRC-32 (ISO 3309, as in zip and gzip) of `size` bytes, going on from that of what precedes them.
uint32_t crc32(const void* data, size_t size, uint32_t before = 0);

}  // namespace kagari::cpu
