// SPDX-License-Identifier: Apache-2.0
#include "net/address_guard.h"

#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <rapidcheck.h>
#include <sys/un.h>

namespace tintype {
namespace {

// Any spelling that the resolver takes for a number without asking DNS: what a URL's host may be.
bool is_public(const std::string& spelling) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int rc = getaddrinfo(spelling.c_str(), nullptr, &hints, &found);
  if (rc != 0) {
    ADD_FAILURE() << spelling << " is not an address: " << gai_strerror(rc);
    return false;
  }
  bool answer = is_public_address(*found->ai_addr);
  freeaddrinfo(found);
  return answer;
}

class Refused : public testing::TestWithParam<const char*> {};
class Allowed : public testing::TestWithParam<const char*> {};

TEST_P(Refused, IsNotPublic) {
  EXPECT_FALSE(is_public(GetParam())) << GetParam();
}
TEST_P(Allowed, IsPublic) {
  EXPECT_TRUE(is_public(GetParam())) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Ipv4, Refused,
    testing::Values("0.0.0.0", "0", "0.1.2.3", "0.255.255.255", "10.0.0.0", "10.0.0.1",
                    "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255",
                    "127.0.0.0", "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001",
                    "0x7f.1", "0177.0.0.1", "017700000001", "127.255.255.255", "169.254.0.0",
                    "169.254.169.254", "0xa9fea9fe", "2852039166", "169.254.170.2",
                    "169.254.170.23", "169.254.255.255", "172.16.0.0", "172.31.255.255",
                    "192.0.0.0", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1",
                    "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
                    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.0",
                    "255.255.255.254", "255.255.255.255"));

INSTANTIATE_TEST_SUITE_P(
    Ipv6, Refused,
    testing::Values("::", "::1", "0:0:0:0:0:0:0:1", "::2", "::ffff:127.0.0.1", "::ffff:7f00:1",
                    "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe",
                    "::ffff:0.0.0.0", "::127.0.0.1", "::a9fe:a9fe", "::8.8.8.8",
                    "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1",
                    "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "100::1",
                    "2001::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                    "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1", "2001:db8::1",
                    "2001:db8:ffff::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1",
                    "3ffe::1", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd00::1",
                    "fd00:ec2::254", "fd00:ec2::23", "fe80::1", "fe80::1%lo",
                    "fe80::5efe:127.0.0.1", "febf::1", "fec0::1", "ff02::1", "ff0e::1",
                    "2600:1f18::5efe:127.0.0.1", "2600:1f18::5efe:a9fe:a9fe",
                    "2600:1f18::200:5efe:10.0.0.1", "4000::1", "::ffff:ffff:ffff:ffff"));

INSTANTIATE_TEST_SUITE_P(
    Neighbours, Allowed,
    testing::Values("1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
                    "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0",
                    "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.88.98.255",
                    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
                    "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
                    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2000::1", "2001:200::1",
                    "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1", "2600:1f18::1",
                    "2606:4700::1111", "2a00:1450::1", "2600:1f18::5efe:8.8.8.8",
                    "2600:1f18::100:5efe:127.0.0.1", "3ffd::1", "3fff:1000::1"));

TEST(AddressGuard, RefusesOtherFamilies) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(is_public_address(reinterpret_cast<const sockaddr&>(local)));
  sockaddr unset{};
  unset.sa_family = AF_UNSPEC;
  EXPECT_FALSE(is_public_address(unset));
}

bool is_public4(std::uint32_t address) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(address);
  return is_public_address(reinterpret_cast<const sockaddr&>(v4));
}

bool is_public6(const std::string& prefix, std::uint32_t tail) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, prefix.c_str(), &v6.sin6_addr), 1);
  tail = htonl(tail);
  std::memcpy(reinterpret_cast<char*>(&v6.sin6_addr) + 12, &tail, 4);
  return is_public_address(reinterpret_cast<const sockaddr&>(v6));
}

TEST(AddressGuard, MappedAndNat64AreAsPublicAsTheAddressInside) {
  EXPECT_TRUE(rc::check("same verdict", [](std::uint32_t address) {
    RC_ASSERT(is_public6("::ffff:0:0", address) == is_public4(address));
    RC_ASSERT(is_public6("64:ff9b::", address) == is_public4(address));
    RC_ASSERT(!is_public6("::", address));
    RC_ASSERT(is_public6("2600::5efe:0:0", address) == is_public4(address));
  }));
}

}  // namespace
}  // namespace tintype
