// SPDX-License-Identifier: Apache-2.0
// Where an outgoing fetch may be led: redirects, addresses, ports, proxies.
#include <cstring>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "net/http_client_fixture.h"

namespace tintype {
namespace {

void expect_code(const Result<IncomingResponse>& result, ErrorCode code) {
  ASSERT_FALSE(result) << "status " << result->status;
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_TRUE(result.error().detail.empty()) << "messages of the network are private";
}

// ---- redirects

TEST(HttpClient, FollowsRedirectsOfEveryKind) {
  for (int status : {301, 302, 303, 307, 308}) {
    ScriptedOrigin origin([status](Connection& connection, const std::string& head) {
      return connection.send(head.starts_with("GET /a ") ? redirect("b", status)
                                                         : ScriptedOrigin::answer(200, "there"));
    });
    auto got = get(origin, "/a");
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(text_of(got->body), "there");
    EXPECT_EQ(origin.connections(), 1);
  }
}

TEST(HttpClient, ARedirectWithoutLocationIsAnAnswer) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(302, "lost")));
  auto got = get(origin);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 302);
}

TEST(HttpClient, FiveRedirectsPassAndElevenFail) {
  for (int depth : {5, 6, 11}) {
    ScriptedOrigin origin([depth](Connection& connection, const std::string& head) {
      int at = atoi(head.c_str() + strlen("GET /"));
      return connection.send(at < depth ? redirect("/" + std::to_string(at + 1))
                                        : ScriptedOrigin::answer(200, "end"));
    });
    auto got = get(origin, "/0");
    if (depth == 5) {
      ASSERT_TRUE(got) << got.error().message;
    } else {
      expect_code(got, ErrorCode::OriginFailed);
      EXPECT_EQ(origin.heads().size(), 6u);
    }
  }
}

TEST(HttpClient, ARedirectLoopFails) {
  ScriptedOrigin origin(always(redirect("/a.jpg")));
  expect_code(get(origin), ErrorCode::OriginFailed);
}

TEST(HttpClient, AnEndlessRedirectBodyFails) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n");
    while (connection.send(std::string(4096, 'x'))) {
    }
    return false;
  });
  expect_code(get(origin), ErrorCode::OriginFailed);
}

TEST(HttpClient, ForbiddenRedirectsAreNotFollowed) {
  for (const char* location :
       {"file:///etc/passwd", "gopher://127.0.0.1:11211/_stats", "ftp://127.0.0.1/a",
        "http://user:secret@127.0.0.1/", "http://127.0.0.1\\@dam.example/"}) {
    ScriptedOrigin origin(always(redirect(location)));
    expect_code(get(origin), ErrorCode::Forbidden);
    EXPECT_EQ(origin.heads().size(), 1u) << location;
  }
}

TEST(HttpClient, TheRequestsOwnHeadersStayWithItsOrigin) {
  ScriptedOrigin other(always(ScriptedOrigin::answer(200, "x")), "127.0.0.2");
  ScriptedOrigin origin([&](Connection& connection, const std::string& head) {
    return connection.send(redirect(head.starts_with("GET /a ") ? "/b" : other.url("/c")));
  });
  HttpClient client(quick(), kClock);
  auto request = request_of(origin.url("/a"));
  request.headers = {{"X-Api-Key", "hush"}};
  ASSERT_TRUE(send(client, std::move(request)));
  ASSERT_EQ(origin.heads().size(), 2u);
  EXPECT_NE(origin.heads()[1].find("hush"), std::string::npos);
  ASSERT_EQ(other.heads().size(), 1u);
  EXPECT_EQ(other.heads()[0].find("hush"), std::string::npos);
}

// ---- the address guard

TEST(HttpClient, PrivateAddressesAreRefusedUnlessAllowed) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  std::string port = std::to_string(origin.port());
  HttpClientSettings settings = quick();
  settings.public_ports = {origin.port()};
  HttpClient client(settings, kClock);
  for (const char* host :
       {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0",
        "127.0.0.2", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127.0.0.%31"}) {
    auto request = request_of("http://" + std::string(host) + ":" + port + "/");
    request.allow_private_addresses = false;
    expect_code(send(client, std::move(request)), ErrorCode::Forbidden);
  }
  EXPECT_EQ(origin.connections(), 0);
}

TEST(HttpClient, OtherPortsAreRefusedUnlessPrivateAddressesAreAllowed) {
  HttpClient client(quick(), kClock);
  auto request = request_of("http://127.0.0.1:8080/");
  request.allow_private_addresses = false;
  auto got = send(client, std::move(request));
  expect_code(got, ErrorCode::Forbidden);
  EXPECT_NE(got.error().message.find("port"), std::string::npos);
}

bool is_first_loopback(const sockaddr& address) {
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  return address.sa_family == AF_INET && ntohl(v4.sin_addr.s_addr) == INADDR_LOOPBACK;
}

// Stands in for a public origin (127.0.0.1) that redirects to a private one (127.0.0.2).
TEST(HttpClient, ARedirectFromAnAllowedToARefusedAddressIsForbidden) {
  ScriptedOrigin hidden(always(ScriptedOrigin::answer(200, "credentials")), "127.0.0.2");
  ScriptedOrigin origin(always(redirect(hidden.url("/latest/meta-data"))));
  HttpClientSettings settings = quick();
  settings.may_connect = &is_first_loopback;
  settings.public_ports = {origin.port(), hidden.port()};
  HttpClient client(settings, kClock);
  auto request = request_of(origin.url("/a"));
  request.allow_private_addresses = false;
  expect_code(send(client, std::move(request)), ErrorCode::Forbidden);
  EXPECT_EQ(origin.heads().size(), 1u);
  EXPECT_EQ(hidden.connections(), 0);
}

TEST(HttpClient, APooledConnectionIsCheckedToo) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClientSettings settings = quick();
  settings.public_ports = {origin.port()};
  HttpClient client(settings, kClock);
  auto request = request_of(origin.url("/"));
  ASSERT_TRUE(send(client, request));
  request.allow_private_addresses = false;
  expect_code(send(client, request), ErrorCode::Forbidden);
  EXPECT_EQ(origin.heads().size(), 1u);
}

TEST(HttpClient, ReadsNoProxyFromTheEnvironment) {
  ScriptedOrigin proxy(always(ScriptedOrigin::answer(200, "proxy")), "127.0.0.2");
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "origin")));
  setenv("http_proxy", proxy.url("").c_str(), 1);
  setenv("all_proxy", proxy.url("").c_str(), 1);
  auto got = get(origin);
  unsetenv("http_proxy");
  unsetenv("all_proxy");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(text_of(got->body), "origin");
  EXPECT_EQ(proxy.connections(), 0);
}

}  // namespace
}  // namespace tintype
