// SPDX-License-Identifier: Apache-2.0
#include "server/settings.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

TEST(ServerSettings, DefaultsAreValid) {
  EXPECT_TRUE(validate({}));
}

TEST(ServerSettings, ErrorsNameFieldValueAndRange) {
  ServerSettings settings;
  settings.port = 70'000;
  auto result = validate(settings);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::BadRequest);
  EXPECT_EQ(result.error().detail, "port is 70000; allowed is 0 to 65535");
  EXPECT_EQ(result.error().option, "port");
}

TEST(ServerSettings, RefusesNonsense) {
  auto refused = [](auto change) {
    ServerSettings settings;
    change(settings);
    return !validate(settings);
  };
  EXPECT_TRUE(refused([](auto& s) { s.listen_address = "localhost"; }));
  EXPECT_TRUE(refused([](auto& s) { s.admin_address = ""; }));
  EXPECT_TRUE(refused([](auto& s) { s.admin_port = s.port; }));
  EXPECT_TRUE(refused([](auto& s) { s.max_head_bytes = 10; }));
  EXPECT_TRUE(refused([](auto& s) { s.head_timeout_ms = Milliseconds(0); }));
  EXPECT_TRUE(refused([](auto& s) { s.max_connections = 0; }));
  EXPECT_FALSE(refused([](auto& s) { s.port = s.admin_port = 0; }));
  EXPECT_FALSE(refused([](auto& s) { s.listen_address = "::"; }));
}

}  // namespace
}  // namespace tintype
