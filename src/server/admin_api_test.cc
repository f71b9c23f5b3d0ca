// SPDX-License-Identifier: Apache-2.0
// Requests with bodies, and the routes they are for, on both ports of the real server.
#include "server/admin_api.h"

#include "base/json.h"
#include "server/server_testing.h"

namespace tintype {
namespace {

class AdminApiTest : public ServerTest {
 protected:
  // Routes that say what they were given: /_/echo on the admin port, /_/hooks/… on the image port.
  void start_with_routes(ServerSettings settings = {}) {
    settings.port = settings.admin_port = 0;
    settings.loops = 2;
    settings.drain_accept_ms = 0ms;
    ServerParts parts{.metrics = metrics_, .clock = clock_};
    parts.answer_from_memory = [this](const Viewing& viewing) { return from_memory(viewing); };
    parts.answer = [this](Viewing viewing) { return walk(viewing); };
    parts.access_log_fd = access_log_fd_;
    parts.api.add({.method = "POST", .path = "/_/echo", .answer = echo});
    parts.api.add({.method = "GET", .path = "/_/echo/", .answer = echo});
    parts.api.add({.method = "POST",
                   .path = "/_/hooks/",
                   .on_admin_port = false,
                   .on_image_port = true,
                   .max_body_bytes = 200'000,
                   .answer = echo});
    auto server = Server::start(std::move(parts), settings);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  static Task<Answer> echo(AdminRequest request) {
    co_await sleep_for(1ms);
    if (request.body == "throw") throw std::runtime_error("on purpose");
    JsonObject json;
    json.field("method", request.method).field("path", request.path());
    json.field("query", request.query()).field("client", request.client);
    json.field("mark", request.header("x-mark")).field("marks", request.count("x-mark"));
    json.field("size", request.body.size()).field("body", request.body.substr(0, 40));
    co_return json_answer(200, json.str());
  }

  static std::string post(const std::string& target, const std::string& body,
                          const std::string& fields = {}) {
    return "POST " + target +
           " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           fields + "\r\n" + body;
  }
  static nlohmann::json read(const Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.field("content-type"), "application/json");
    EXPECT_EQ(reply.field("cache-control"), "no-store");
    EXPECT_EQ(reply.fields.count("cache-status"), 0u);
    return nlohmann::json::parse(reply.body, nullptr, false);
  }
};

TEST_F(AdminApiTest, ARouteGetsTheRequestWhole) {
  start_with_routes();
  Client client(server_->admin_port());
  auto said = read(client.ask(
      post("/_/echo?a=b", "hello", "X-Mark:  one \r\nx-mark: two\r\nAccept: text/plain\r\n")));
  EXPECT_EQ(said["method"], "POST");
  EXPECT_EQ(said["path"], "/_/echo");
  EXPECT_EQ(said["query"], "a=b");
  EXPECT_EQ(said["mark"], "one");
  EXPECT_EQ(said["marks"], 2);
  EXPECT_EQ(said["body"], "hello");
  EXPECT_EQ(said["client"], "127.0.0.1");
  EXPECT_EQ(read(client.get("/_/echo/some/id"))["path"], "/_/echo/some/id");
  EXPECT_EQ(client.get("/_/health").status, 200);
}

TEST_F(AdminApiTest, BodiesComeInAnyPiecesAndRequestsFollowThem) {
  start_with_routes();
  std::string large(900'000, 'x');
  Client client(server_->admin_port());
  std::string all = post("/_/echo", large) + post("/_/echo", "") + post("/_/echo", "second") +
                    "GET /_/echo/1 HTTP/1.1\r\nHost: t\r\n\r\n";
  std::thread sender([&] {
    for (std::size_t at = 0; at < all.size(); at += 100'001) {
      client.send(std::string_view(all).substr(at, 100'001));
    }
  });
  EXPECT_EQ(read(client.read())["size"], 900'000);
  EXPECT_EQ(read(client.read())["size"], 0);
  EXPECT_EQ(read(client.read())["body"], "second");
  EXPECT_EQ(read(client.read())["method"], "GET");
  sender.join();
}

TEST_F(AdminApiTest, AWaitingClientIsToldToGoOn) {
  start_with_routes();
  Client client(server_->admin_port());
  client.send(
      "POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send("hello");
  EXPECT_EQ(read(client.read())["body"], "hello");
  Client other(server_->admin_port());
  EXPECT_EQ(other.ask(post("/_/echo", "x", "Expect: miracles\r\n")).status, 417);
  // What would be refused is refused before it is sent.
  Client large(server_->admin_port());
  large.send(
      "POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000001\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(large.read().status, 413);
}

struct Refused {
  std::string head;
  int status;
};

TEST_F(AdminApiTest, ABodyWhoseEndIsInDoubtEndsTheConnection) {
  start_with_routes();
  const Refused all[] = {
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: "
       "3\r\n\r\n0",
       400},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\n\r\n", 411},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1, 1\r\n\r\nx", 400},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\nx", 400},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: +1\r\n\r\nx", 400},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 0x1\r\n\r\nx", 400},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999\r\n\r\nx", 400},
      {"POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000001\r\n\r\n", 413},
      {"POST /_/echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 400},
      {"POST /_/other HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx", 405},
      {"PUT /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx", 405},
      {"GET /_/echo/1 HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx", 400},
  };
  for (const Refused& refused : all) {
    Client client(server_->admin_port());
    client.send(refused.head + "GET /_/health HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client.read().status, refused.status) << refused.head;
    EXPECT_TRUE(client.is_closed()) << refused.head;
  }
}

TEST_F(AdminApiTest, TheImagePortTakesBodiesForItsRoutesAlone) {
  start_with_routes({.edge_secret = "0123456789abcdef", .edge_only = true});
  Client hook(port());
  auto said = read(hook.ask(post("/_/hooks/asset/shop/dam", "{}", "X-Mark: sig\r\n")));
  EXPECT_EQ(said["path"], "/_/hooks/asset/shop/dam");
  EXPECT_EQ(said["mark"], "sig");
  EXPECT_EQ(Client(port()).ask(post("/_/hooks/x", std::string(200'001, 'x'))).status, 413);
  EXPECT_EQ(Client(port()).ask(post("/_/echo", "x")).status, 405);
  EXPECT_EQ(Client(port()).ask(post("/shop/a.jpg", "x")).status, 405);
  EXPECT_EQ(Client(port()).get("/_/echo/1").status, 403);  // the edge's alone, like any other path
  EXPECT_EQ(Client(server_->admin_port()).ask(post("/_/hooks/x", "x")).status, 405);
}

TEST_F(AdminApiTest, ABodyThatDoesNotComeIsGivenUp) {
  start_with_routes({.head_timeout_ms = 300ms});
  Client client(server_->admin_port());
  client.send("POST /_/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_EQ(client.read().status, 408);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(AdminApiTest, ARouteThatThrowsIsA500) {
  start_with_routes();
  Client client(server_->admin_port());
  EXPECT_EQ(client.ask(post("/_/echo", "throw")).status, 500);
  EXPECT_EQ(read(client.ask(post("/_/echo", "x")))["body"], "x");
}

TEST_F(AdminApiTest, HeadOfAGetRouteHasNoBody) {
  start_with_routes();
  Client client(server_->admin_port());
  Reply reply = client.ask("HEAD /_/echo/1 HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(read(client.get("/_/echo/1"))["method"], "GET");
}

TEST(AdminApi, ARouteCoversItsPathOrWhatIsBelow) {
  AdminApi api;
  api.add({.method = "POST", .path = "/_/purge"});
  api.add({.method = "GET", .path = "/_/purge/"});
  auto admin = AdminApi::Port::Admin;
  EXPECT_NE(api.find("POST", "/_/purge", admin), nullptr);
  EXPECT_NE(api.find("POST", "/_/purge?x=1", admin), nullptr);
  EXPECT_EQ(api.find("POST", "/_/purge/1", admin), nullptr);
  EXPECT_EQ(api.find("POST", "/_/purges", admin), nullptr);
  EXPECT_NE(api.find("GET", "/_/purge/1", admin), nullptr);
  EXPECT_NE(api.find("HEAD", "/_/purge/1", admin), nullptr);
  EXPECT_EQ(api.find("GET", "/_/purge/", admin), nullptr);
  EXPECT_EQ(api.find("POST", "/_/purge", AdminApi::Port::Image), nullptr);
  EXPECT_EQ(api.paths(admin), "/_/purge, /_/purge/…");
  EXPECT_EQ(api.paths(AdminApi::Port::Image), "");
}

TEST(AdminApi, FieldsAreTakenFromAnAcceptedHead) {
  auto fields = fields_of("\r\nPOST /a:b HTTP/1.1\r\nHost: t\r\nX-Sig:  a:b \r\nEmpty:\r\n\r\n");
  using Field = std::pair<std::string, std::string>;
  EXPECT_EQ(fields, (std::vector<Field>{{"host", "t"}, {"x-sig", "a:b"}, {"empty", ""}}));
}

}  // namespace
}  // namespace tintype
