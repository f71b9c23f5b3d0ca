// SPDX-License-Identifier: Apache-2.0
#include "main/settings.h"

#include <fstream>

#include <gtest/gtest.h>

namespace tintype {
namespace {

Environment environment_of(std::map<std::string, std::string> values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    auto it = values.find(name);
    return it == values.end() ? std::nullopt : std::optional(it->second);
  };
}

Result<Settings> read(const std::string& yaml, std::map<std::string, std::string> values = {}) {
  return read_settings(yaml, "/etc/tintype", environment_of(std::move(values)));
}

TEST(Settings, DefaultsWithoutAnything) {
  Settings settings = read("sites: {}").value();
  EXPECT_EQ(settings.server.port, 8080);
  EXPECT_EQ(settings.memory_cache_bytes, 256'000'000);
  EXPECT_FALSE(settings.disk);
}

TEST(Settings, ReadsEverySection) {
  Settings settings = read(R"(
server: { port: 9000, studio: true, head_timeout: 500ms, access_log: access.log }
workers: { count: 3, render_timeout: 2s, memory: 1GB }
cache: { memory: 10MB, disk: { folder: cache, size: 1GB, stale_for: 1d } }
log: { level: debug, format: text }
sites: {}
)")
                          .value();
  EXPECT_EQ(settings.server.port, 9000);
  EXPECT_TRUE(settings.server.studio);
  EXPECT_EQ(settings.server.head_timeout_ms.count(), 500);
  EXPECT_EQ(settings.access_log, "/etc/tintype/access.log");
  EXPECT_EQ(settings.workers.count, 3);
  EXPECT_EQ(settings.workers.render_timeout_ms.count(), 2000);
  EXPECT_EQ(settings.disk->folder, "/etc/tintype/cache");
  EXPECT_EQ(settings.disk->capacity_bytes, 1'000'000'000);
  EXPECT_EQ(settings.disk->stale_for, Seconds(86'400));
  EXPECT_EQ(settings.log_level, LogLevel::Debug);
  EXPECT_TRUE(settings.log_as_text);
}

TEST(Settings, EnvironmentWins) {
  Settings settings = read("server: { port: 9000 }", {{"TINTYPE_SERVER_PORT", "9001"},
                                                      {"TINTYPE_CACHE_DISK_FOLDER", "/var/c"}})
                          .value();
  EXPECT_EQ(settings.server.port, 9001);
  EXPECT_EQ(settings.disk->folder, "/var/c");
}

TEST(Settings, FaultsNameLineFieldAndWhatIsAllowed) {
  struct Case {
    const char* yaml;
    std::vector<const char*> says;
  };
  for (const Case& c :
       {Case{"server:\n  port: 70000", {"line 2", "server.port", "70000", "65535"}},
        Case{"server:\n  prot: 1", {"line 2", "server.prot"}},
        Case{"srever: {}", {"line 1", "srever"}},
        Case{"cache:\n  disk:\n    size: 1XB", {"line 3", "cache.disk.size", "1XB"}},
        Case{"cache: { disk: { size: 1GB } }", {"cache.disk", "folder"}},
        Case{"log: { level: loud }", {"log.level", "loud", "debug"}},
        Case{"server: 5", {"server", "map"}}, Case{"a: [", {"line"}}}) {
    auto settings = read(c.yaml);
    ASSERT_FALSE(settings) << c.yaml;
    for (const char* word : c.says) {
      EXPECT_NE(settings.error().detail.find(word), std::string::npos)
          << settings.error().detail << " should name " << word;
    }
  }
  auto settings = read("", {{"TINTYPE_SERVER_PORT", "many"}});
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().detail.find("TINTYPE_SERVER_PORT=many"), std::string::npos);
}

TEST(Settings, DocsHoldTheTable) {
  std::ifstream docs(TINTYPE_ROOT "/docs/configuration.md");
  std::string text((std::istreambuf_iterator<char>(docs)), {});
  EXPECT_NE(text.find(settings_as_markdown()), std::string::npos)
      << "docs/configuration.md must hold the output of `tintype settings`";
}

}  // namespace
}  // namespace tintype
