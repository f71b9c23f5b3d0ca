// SPDX-License-Identifier: Apache-2.0
// The format of one variant's file in the disk tier:
//
//    0  4   "TTV1"
//    4  4   M, length of the metadata                     all numbers little-endian
//    8  8   B, length of the body
//   16 16   XXH3-128 of the body (high, low)
//   32 M    metadata: the fields of EntryMeta in order; texts with a 32-bit length before them; the
//           cache tags last, and only where there are any: files from before them stay readable
//   32+M 16 XXH3-128 of everything before
//   48+M B  the body, to the end of the file
//
// Every byte is under one of the two checksums, so a torn, short or flipped file is found out
// whatever the file system did; that is why nothing is synced. Pure functions and reads; no state.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "cache/entry.h"

namespace tintype {

// Everything before the body.
std::string encode_entry_head(const EntryMeta& meta, ByteView body);

// Reads and verifies the whole file. Fails with Corrupt when a byte is not as it was written or the
// device cannot read it, with Internal on any other failed read.
Result<Entry> read_entry(int fd);
struct EntryHead {
  EntryMeta meta;
  std::size_t file_bytes = 0;
};
// The head alone is read and verified; the body has its full length but may be damaged.
Result<EntryHead> read_entry_head(int fd);

}  // namespace tintype
