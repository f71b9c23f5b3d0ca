// SPDX-License-Identifier: Apache-2.0
#include "cache/catalogue.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include <sqlite3.h>

namespace tintype {
namespace {

constexpr const char* kSchema = R"sql(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS variant (
    name BLOB PRIMARY KEY,            -- SHA-256 of the key
    key TEXT NOT NULL,                -- the canonical path
    site TEXT NOT NULL,
    source TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,      -- on disk, whole blocks
    stored INTEGER NOT NULL,          -- this and the next two: Unix seconds
    fresh_until INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL DEFAULT ''     -- cache tags, joined by spaces
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS variant_by_key ON variant (key);
  CREATE INDEX IF NOT EXISTS variant_by_use ON variant (last_used, hits);
  CREATE INDEX IF NOT EXISTS variant_by_freshness ON variant (fresh_until);
)sql";

// The shape of the file, in SQLite's user_version. 0: before cache tags, or new.
constexpr std::int64_t kVersion = 1;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Prepared = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Failure failed(sqlite3* database, int code) {
  bool is_damaged = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
  return fail_private(is_damaged ? ErrorCode::Corrupt : ErrorCode::Internal,
                      std::string("catalogue: ") + sqlite3_errmsg(database));
}

Result<> run(sqlite3* database, const char* sql) {
  int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(database, code);
  return {};
}

// One run of a prepared statement; resets it when it leaves scope.
class Run {
 public:
  explicit Run(const Prepared& statement) : statement_(statement.get()) {}
  ~Run() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Run& operator<<(std::int64_t value) {
    return bound(sqlite3_bind_int64(statement_, ++at_, value));
  }
  Run& operator<<(std::string_view text) {
    return bound(sqlite3_bind_text64(statement_, ++at_, text.empty() ? "" : text.data(),
                                     text.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  Run& operator<<(const Sha256& name) {
    return bound(sqlite3_bind_blob64(statement_, ++at_, name.data(), name.size(), SQLITE_STATIC));
  }
  // An empty blob is above every text (sqlite.org/datatype3.html, section 4.1).
  Run& bind_above_all_texts() {
    return bound(sqlite3_bind_blob64(statement_, ++at_, "", 0, SQLITE_STATIC));
  }

  // True: there is a row to read.
  Result<bool> step() {
    int code = problem_ != SQLITE_OK ? problem_ : sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return failed(sqlite3_db_handle(statement_), code);
  }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view text(int column) const {
    auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  Sha256 name(int column) const {
    Sha256 name{};
    const void* data = sqlite3_column_blob(statement_, column);
    auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    if (data != nullptr) std::memcpy(name.data(), data, std::min(size, name.size()));
    return name;
  }

 private:
  Run& bound(int code) {
    if (code != SQLITE_OK) problem_ = code;
    return *this;
  }
  sqlite3_stmt* statement_;
  int at_ = 0;
  int problem_ = SQLITE_OK;
};

// The least text above every text with this prefix; nothing when there is none.
std::optional<std::string> end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (end.empty()) return std::nullopt;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace

struct Catalogue::State {
  Database database;
  bool was_missing = false;
  std::int64_t bytes = 0, entries = 0;
  Prepared size_of, add, remove, note, by_use, by_freshness, by_prefix, rows_by_prefix, by_name;

  Result<> migrate();
  Result<bool> has_tags();
  Result<> prepare();
  Result<> count();
  Result<> check();
  Result<Items> collect(Run& run);
  // All or nothing.
  template <class Body>
  Result<> in_transaction(Body&& body);
};

Result<> Catalogue::State::prepare() {
  struct Wanted {
    Prepared& into;
    const char* sql;
  };
  Wanted all[] = {
      {size_of, "SELECT size_bytes FROM variant WHERE name = ?"},
      {add,
       "INSERT INTO variant "
       "(name, key, site, source, size_bytes, stored, fresh_until, last_used, tags) "
       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET key = excluded.key, "
       "site = excluded.site, source = excluded.source, size_bytes = excluded.size_bytes, "
       "stored = excluded.stored, fresh_until = excluded.fresh_until, "
       "last_used = excluded.last_used, tags = excluded.tags"},
      {remove, "DELETE FROM variant WHERE name = ? RETURNING size_bytes"},
      {note, "UPDATE variant SET last_used = max(last_used, ?), hits = hits + ? WHERE name = ?"},
      {by_use, "SELECT name, size_bytes FROM variant ORDER BY last_used, hits LIMIT ?"},
      {by_freshness,
       "SELECT name, size_bytes FROM variant WHERE fresh_until < ? ORDER BY fresh_until LIMIT ?"},
      {by_prefix, "SELECT name, size_bytes FROM variant WHERE key >= ? AND key < ? LIMIT ?"},
      {rows_by_prefix,
       "SELECT name, size_bytes, key, site, source, tags FROM variant "
       "WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"},
      {by_name, "SELECT name, size_bytes FROM variant WHERE name > ? ORDER BY name LIMIT ?"},
  };
  for (Wanted& wanted : all) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(database.get(), wanted.sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &statement, nullptr);
    wanted.into.reset(statement);
    if (code != SQLITE_OK) return failed(database.get(), code);
  }
  return {};
}

Result<bool> Catalogue::State::has_tags() {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database.get(),
                                "SELECT 1 FROM pragma_table_info('variant') WHERE name = 'tags'",
                                -1, &statement, nullptr);
  Prepared prepared(statement);
  if (code != SQLITE_OK) return failed(database.get(), code);
  Run run(prepared);
  return run.step();
}

// Files of older versions get what is new; those of newer ones are used as they are: what we read
// of them has not changed its meaning.
Result<> Catalogue::State::migrate() {
  TRY(run(database.get(), kSchema));
  TRY(bool is_new_enough, has_tags());
  if (!is_new_enough) {
    TRY(run(database.get(), "ALTER TABLE variant ADD COLUMN tags TEXT NOT NULL DEFAULT ''"));
  }
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database.get(), "PRAGMA user_version", -1, &statement, nullptr);
  Prepared prepared(statement);
  if (code != SQLITE_OK) return failed(database.get(), code);
  Run version(prepared);
  TRY(version.step());
  if (version.integer(0) >= kVersion) return {};
  std::string set = "PRAGMA user_version = " + std::to_string(kVersion);
  return run(database.get(), set.c_str());
}

Result<> Catalogue::State::count() {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database.get(),
                                "SELECT count(*), coalesce(sum(size_bytes), 0) FROM variant", -1,
                                &statement, nullptr);
  Prepared prepared(statement);
  if (code != SQLITE_OK) return failed(database.get(), code);
  Run run(prepared);
  TRY(run.step());
  entries = run.integer(0);
  bytes = run.integer(1);
  return {};
}

Result<> Catalogue::State::check() {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database.get(), "PRAGMA quick_check(1)", -1, &statement, nullptr);
  Prepared prepared(statement);
  if (code != SQLITE_OK) return failed(database.get(), code);
  Run run(prepared);
  TRY(bool has_row, run.step());
  if (has_row && run.text(0) == "ok") return {};
  return fail_private(ErrorCode::Corrupt, "catalogue: quick_check");
}

Result<Catalogue::Items> Catalogue::State::collect(Run& run) {
  Items items;
  while (true) {
    TRY(bool has_row, run.step());
    if (!has_row) return items;
    items.push_back({run.name(0), run.integer(1)});
  }
}

template <class Body>
Result<> Catalogue::State::in_transaction(Body&& body) {
  std::int64_t bytes_before = bytes, entries_before = entries;
  TRY(run(database.get(), "BEGIN IMMEDIATE"));
  Result<> done = body();
  if (done) done = run(database.get(), "COMMIT");
  if (!done) {
    sqlite3_exec(database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    bytes = bytes_before;
    entries = entries_before;
  }
  return done;
}

Catalogue::Catalogue(std::unique_ptr<State> state) : state_(std::move(state)) {}
Catalogue::~Catalogue() = default;

Result<std::unique_ptr<Catalogue>> Catalogue::open(const std::string& file, bool is_suspect) {
  auto state = std::make_unique<State>();
  std::error_code ignored;
  state->was_missing = !std::filesystem::exists(file, ignored);
  sqlite3* database = nullptr;
  int code =
      sqlite3_open_v2(file.c_str(), &database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  state->database.reset(database);
  if (code != SQLITE_OK) return failed(database, code);
  sqlite3_busy_timeout(database, 2000);  // somebody looks into it with the sqlite3 command
  if (is_suspect && !state->was_missing) TRY(state->check());
  TRY(state->migrate());
  TRY(state->prepare());
  TRY(state->count());
  return std::unique_ptr<Catalogue>(new Catalogue(std::move(state)));
}

void Catalogue::destroy(const std::string& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix, ignored);
}

bool Catalogue::was_missing() const {
  return state_->was_missing;
}
std::int64_t Catalogue::bytes() const {
  return state_->bytes;
}
std::int64_t Catalogue::entries() const {
  return state_->entries;
}

Result<> Catalogue::add(const CatalogueRow& row) {
  std::int64_t replaced_bytes = 0;
  bool is_new = false;
  {
    Run old(state_->size_of);
    TRY(bool has_row, (old << row.name).step());
    is_new = !has_row;
    if (has_row) replaced_bytes = old.integer(0);
  }
  Run add(state_->add);
  add << row.name << std::string_view(row.key) << std::string_view(row.site)
      << std::string_view(row.source) << row.size_bytes << row.stored_unix_seconds
      << row.fresh_until_unix_seconds << row.used_unix_seconds << std::string_view(row.tags);
  TRY(add.step());
  state_->entries += is_new;
  state_->bytes += row.size_bytes - replaced_bytes;
  return {};
}

Result<> Catalogue::remove(std::span<const CatalogueItem> items) {
  auto remove_each = [&]() -> Result<> {
    for (const CatalogueItem& item : items) {
      Run remove(state_->remove);
      TRY(bool was_there, (remove << item.name).step());
      if (!was_there) continue;
      state_->bytes -= remove.integer(0);
      --state_->entries;
      TRY(remove.step());
    }
    return {};
  };
  return state_->in_transaction(remove_each);
}

Result<bool> Catalogue::holds(const Sha256& name) {
  Run run(state_->size_of);
  return (run << name).step();
}

Result<> Catalogue::note(std::span<const CatalogueUse> uses) {
  auto note_each = [&]() -> Result<> {
    for (const CatalogueUse& use : uses) {
      Run note(state_->note);
      TRY((note << use.used_unix_seconds << use.times << use.name).step());
    }
    return {};
  };
  return state_->in_transaction(note_each);
}

Result<Catalogue::Items> Catalogue::least_recently_used(int limit) {
  Run run(state_->by_use);
  return state_->collect(run << std::int64_t{limit});
}

Result<Catalogue::Items> Catalogue::fresh_until_before(std::int64_t unix_seconds, int limit) {
  Run run(state_->by_freshness);
  return state_->collect(run << unix_seconds << std::int64_t{limit});
}

Result<Catalogue::Items> Catalogue::with_prefix(std::string_view prefix, int limit) {
  std::optional<std::string> end = end_of_prefix(prefix);
  Run run(state_->by_prefix);
  run << prefix;
  if (end) {
    run << std::string_view(*end);
  } else {
    run.bind_above_all_texts();
  }
  return state_->collect(run << std::int64_t{limit});
}

Result<std::vector<CatalogueRow>> Catalogue::rows_with_prefix(std::string_view prefix,
                                                              std::string_view after, int limit) {
  std::optional<std::string> end = end_of_prefix(prefix);
  std::string begin(prefix);
  // The least text above `after`; keys have no NUL in them.
  if (!after.empty()) begin.assign(after).push_back('\0');
  Run run(state_->rows_by_prefix);
  run << std::string_view(begin);
  if (end) {
    run << std::string_view(*end);
  } else {
    run.bind_above_all_texts();
  }
  run << std::int64_t{limit};
  std::vector<CatalogueRow> rows;
  while (true) {
    TRY(bool has_row, run.step());
    if (!has_row) return rows;
    CatalogueRow row;
    row.name = run.name(0);
    row.size_bytes = run.integer(1);
    row.key = run.text(2);
    row.site = run.text(3);
    row.source = run.text(4);
    row.tags = run.text(5);
    rows.push_back(std::move(row));
  }
}

Result<Catalogue::Items> Catalogue::after(const Sha256& name, int limit) {
  Run run(state_->by_name);
  return state_->collect(run << name << std::int64_t{limit});
}

}  // namespace tintype
