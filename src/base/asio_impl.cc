// SPDX-License-Identifier: Apache-2.0
// Asio's own functions, compiled once instead of in every file that waits
// (ASIO_SEPARATE_COMPILATION).
#include <asio/impl/src.hpp>
