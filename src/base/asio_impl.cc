// SPDX-License-Identifier: Apache-2.0
// Asio's own functions, compiled once instead of in every file that waits
// (ASIO_SEPARATE_COMPILATION). async.h comes first, so that the standard library's headers do: Asio
// asks them which allocation functions there are, and must get the same answer here as elsewhere.
#include "base/async.h"

#include <asio/impl/src.hpp>
