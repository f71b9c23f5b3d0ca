// SPDX-License-Identifier: Apache-2.0
// One native URL in every language, then each language's own turns. That all of it comes back is
// delivery/translate_test.cc's to show; here it is how it looks.
#include "dialect/write.h"

#include <gtest/gtest.h>

#include "base/signing.h"
#include "dialect/dialect.h"

namespace tintype {
namespace {

Mount mount_of(Dialect dialect) {
  return {.path = "/x", .dialect = dialect, .site = "shop", .keys = {}, .sources = {}};
}

// What is written, or "error <option>: <detail>".
std::string written(std::string_view native, const Mount& mount) {
  auto ask = parse_target("/shop/" + std::string(native));
  if (!ask) return "not read: " + ask.error().detail;
  auto target = write_target(*ask, mount);
  return target ? *target : "error " + target.error().option + ": " + target.error().detail;
}
std::string written(std::string_view native, Dialect dialect) {
  return written(native, mount_of(dialect));
}

TEST(Write, OneCoverInEveryLanguage) {
  constexpr std::string_view kNative = "p/a.jpg?w=400&h=300&fit=cover&up=1&g=n&q=70&f=webp";
  const std::pair<Dialect, std::string_view> kExpected[] = {
      {Dialect::Native, "/x/p/a.jpg?f=webp&fit=cover&g=n&h=300&q=70&up=1&w=400"},
      {Dialect::Imgix, "/x/p/a.jpg?w=400&h=300&fit=crop&crop=top&fm=webp&q=70"},
      {Dialect::Fastly,
       "/x/p/a.jpg?crop=4:3,offset-x50,offset-y0&enable=upscale&width=400&height=300&format=webp"
       "&quality=70"},
      {Dialect::Cloudinary, "/x/image/upload/c_fill,g_north,h_300,w_400/f_webp,q_70/v1/p/a.jpg"},
      {Dialect::Scene7, "/x/p/a.jpg?wid=400&hei=300&fit=crop,1&align=0,-1&fmt=webp-alpha&qlt=70"},
      {Dialect::Imgproxy, "/x/unsafe/rs:fill:400:300:1/g:no/q:70/plain/local:///p/a.jpg@webp"},
      {Dialect::Thumbor, "/x/unsafe/400x300/top/filters:quality(70):format(webp)/p/a.jpg"},
      {Dialect::Cloudflare,
       "/x/width=400,height=300,fit=cover,gravity=top,quality=70,format=webp/p/a.jpg"},
      {Dialect::Weserv, "/x/?url=/p/a.jpg&w=400&h=300&fit=cover&a=top&output=webp&q=70"},
      {Dialect::Ipx, "/x/enlarge,s_400x300,position_top,f_webp,q_70/p/a.jpg"},
      {Dialect::Bunny,
       "/x/p/a.jpg?width=400&height=300&aspect_ratio=4:3&upscaling=resampling&crop_gravity=north"
       "&format=webp&quality=70"},
      {Dialect::Netlify, "/x?url=/p/a.jpg&w=400&h=300&fit=cover&position=top&fm=webp&q=70"}};
  for (auto [dialect, expected] : kExpected) {
    EXPECT_EQ(written(kNative, dialect), expected);
  }
}

// The digests were computed with Python's hashlib and hmac after the vendors' documentation.
TEST(Write, SignsWithTheFirstKey) {
  Mount mount = mount_of(Dialect::Imgix);
  mount.keys = {{.key = "first", .salt = {}}, {.key = "second", .salt = {}}};
  constexpr std::string_view kNative = "a.jpg?w=400&q=70&f=jpeg";
  EXPECT_EQ(written(kNative, mount),
            "/x/a.jpg?w=400&fit=max&q=70&s=4268ae8e01bbca07b5e8a80e29a32281");
  mount.dialect = Dialect::Cloudinary;
  EXPECT_EQ(written(kNative, mount), "/x/image/upload/s--ju7ljlch--/c_limit,w_400/q_70/a.jpg");
  mount.dialect = Dialect::Thumbor;
  EXPECT_EQ(written(kNative, mount),
            "/x/iqvk7U7FrZ2_3Nalr9y6y2WnKyc=/fit-in/400x0/filters:quality(70)/a.jpg");
  mount.dialect = Dialect::Imgproxy;
  mount.keys[0].salt = "salt";
  EXPECT_EQ(
      written(kNative, mount),
      "/x/pDUf0fcxDHiGqzA5Rrm_nrOX3GYUnBtKvAkqY3TFh8Y/rs:fit:400:0/q:70/plain/local:///a.jpg");
}

// What a vendor would choose otherwise is said: its quality, its format, its background.
TEST(Write, SaysWhatTheVendorWouldChooseOtherwise) {
  EXPECT_EQ(written("a.jpg?f=jpeg", Dialect::Imgix), "/x/a.jpg?q=80");
  EXPECT_EQ(written("a.jpg?f=png", Dialect::Imgix), "/x/a.jpg?fm=png");
  EXPECT_EQ(written("a.jpg?f=avif", Dialect::Imgproxy), "/x/unsafe/q:60/plain/local:///a.jpg@avif");
  EXPECT_EQ(written("a.jpg?f=jpeg", Dialect::Imgproxy), "/x/unsafe/plain/local:///a.jpg");
  EXPECT_EQ(written("a.png?w=4&h=3&fit=pad&f=png", Dialect::Ipx),
            "/x/s_4x3,fit_contain,b_00000000/a.png");
  EXPECT_EQ(written("a.jpg?w=4&h=3&fit=pad&f=jpeg", Dialect::Weserv),
            "/x/?url=/a.jpg&w=4&h=3&fit=contain&we&cbg=ffffff&output=jpg");
  EXPECT_EQ(written("a.png?w=4&h=3&fit=pad&f=png", Dialect::Fastly),
            "/x/a.png?width=4&height=3&fit=bounds&canvas=4,3&bg-color=0,0,0,0");
}

TEST(Write, FoldsWhatNoClientChanges) {
  EXPECT_EQ(written("a.jpg?w=400&dpr=2&ar=2:1&f=jpeg&up=1", Dialect::Imgproxy),
            "/x/unsafe/rs:fill:800:400:1/plain/local:///a.jpg");
  EXPECT_EQ(written("a.jpg?rot=90&flip=v&f=jpeg&q=75", Dialect::Imgix), "/x/a.jpg?orient=7&q=75");
}

// thumbor turns what it has resized, the others the source.
TEST(Write, TurnsTheBoxBackForThumbor) {
  EXPECT_EQ(written("a.jpg?w=400&h=300&fit=cover&up=1&g=n&rot=90&f=jpeg", Dialect::Thumbor),
            "/x/unsafe/300x400/left/filters:rotate(270)/a.jpg");
  EXPECT_EQ(written("a.jpg?w=400&h=300&flip=h&f=jpeg", Dialect::Thumbor),
            "/x/unsafe/fit-in/-400x300/a.jpg");
}

// Some turn before they resize, some after, some mirror first: none of it gets lost.
TEST(Write, EveryTurnBesideEveryAnchor) {
  constexpr std::string_view kPlaces[] = {"c", "n", "ne", "e", "se", "s", "sw", "w", "nw", "smart"};
  constexpr Dialect kLanguages[] = {Dialect::Native,   Dialect::Imgix,   Dialect::Cloudinary,
                                    Dialect::Imgproxy, Dialect::Thumbor, Dialect::Cloudflare,
                                    Dialect::Weserv,   Dialect::Ipx,     Dialect::Scene7};
  for (std::string_view rot : {"0", "90", "180", "270"}) {
    for (std::string_view flip : {"", "&flip=h", "&flip=v", "&flip=hv"}) {
      for (std::string_view place : kPlaces) {
        std::string native = "a.jpg?w=400&h=300&fit=cover&up=1&f=jpeg&rot=" + std::string(rot);
        native.append(flip).append("&g=").append(place);
        for (Dialect language : kLanguages) {
          if (language == Dialect::Scene7 && place == "smart") continue;
          EXPECT_EQ(written(native, language).substr(0, 3), "/x/") << native;
        }
      }
    }
  }
}

TEST(Write, LeavesOpenWhatTheLanguageCan) {
  EXPECT_EQ(written("a.jpg?w=400&q=80", Dialect::Imgix), "/x/a.jpg?w=400&fit=max&auto=format&q=80");
  EXPECT_EQ(written("a.jpg?w=auto&dpr=auto&q=auto", Dialect::Cloudinary),
            "/x/image/upload/c_limit,w_auto/dpr_auto,f_auto,q_auto/a.jpg");
  EXPECT_EQ(written("a.jpg?w=400", Dialect::Ipx), "/x/w_400,f_auto/a.jpg");
}

TEST(Write, RefusesByName) {
  EXPECT_EQ(written("a.jpg?w=400", Dialect::Imgix),
            "error q: q: cannot be left to the format in imgix: name a number");
  EXPECT_EQ(written("a.jpg?w=400", Dialect::Thumbor), "error f: f=auto: cannot be said in thumbor");
  EXPECT_EQ(written("a.jpg?f=jpng", Dialect::Cloudinary),
            "error f: f=jpng: cannot be said in cloudinary");
  EXPECT_EQ(written("a.jpg?w=4&h=3&fit=cover&small=pad&f=jpeg", Dialect::Imgix),
            "error small: small=pad: cannot be said in imgix");
  EXPECT_EQ(written("a.jpg?w=4&h=3&fit=outside&f=jpeg", Dialect::Cloudinary),
            "error fit: fit=outside: cannot be said in cloudinary");
  EXPECT_EQ(written("a.jpg?v=7&f=jpeg", Dialect::Thumbor),
            "error v: v=7: cannot be said in thumbor");
  EXPECT_EQ(written("a.jpg?v=7&f=jpeg", Dialect::Cloudinary), "/x/image/upload/v7/a.jpg");
  EXPECT_EQ(written("smart/a.jpg?f=jpeg", Dialect::Thumbor),
            "error source: source=smart/a.jpg: cannot be said in thumbor");
}

TEST(Write, NamesSourcesByAddressWhereTheMountHasOne) {
  Mount mount = mount_of(Dialect::Weserv);
  mount.sources = {"https://cdn.shop.example/"};
  EXPECT_EQ(written("p/a b%2525.jpg?f=jpeg", mount),
            "/x/?url=https://cdn.shop.example/p/a%2520b%252525.jpg");
  mount.dialect = Dialect::Imgproxy;
  EXPECT_EQ(written("p/a b@.jpg?f=jpeg", mount),
            "/x/unsafe/plain/https://cdn.shop.example/p/a%20b%40.jpg");
}

std::string decoded(const std::string& target) {
  std::string path = target.substr(3, target.find('?') - 3);
  return decode_base64(path).value_or("not base64: " + target);
}

TEST(Write, EditsForAws) {
  EXPECT_EQ(decoded(written("p/a.jpg?w=400&h=300&fit=cover&up=1&g=n&q=70&f=webp", Dialect::Dit)),
            R"({"key":"p/a.jpg","edits":{"resize":{"width":400,"height":300,"position":"north"},)"
            R"("toFormat":"webp","webp":{"quality":70}}})");
  EXPECT_EQ(decoded(written("a.jpg?crop=1,2,30,40&w=9&rot=90&flip=h&blur=1&f=png&bg=ff000080",
                            Dialect::Dit)),
            R"({"key":"a.jpg","edits":{"crop":{"left":1,"top":2,"width":30,"height":40},)"
            R"("flop":true,"rotate":270,"resize":{"width":9,"withoutEnlargement":true},"blur":1,)"
            R"("flatten":{"background":{"r":255,"g":0,"b":0,"alpha":0.502}},"toFormat":"png"}})");
  Mount mount = mount_of(Dialect::Dit);
  mount.sources = {"s3://pictures/shop/"};
  mount.keys = {{.key = "secret", .salt = {}}};
  std::string target = written("a.jpg?f=jpeg", mount);
  EXPECT_TRUE(decoded(target).starts_with(R"({"bucket":"pictures","key":"shop/a.jpg",)")) << target;
  EXPECT_NE(target.find("?signature="), std::string::npos) << target;
  EXPECT_EQ(written("a.jpg?w=4&h=3&fit=cover&f=jpeg", Dialect::Dit),
            "error small: small=ratio: cannot be said in dit");
}

TEST(Write, FrontDoorsTakeAWidth) {
  EXPECT_EQ(written("p/a b.jpg?w=640&q=75", Dialect::Next), "/x?url=/p/a%2520b.jpg&w=640");
  EXPECT_EQ(written("a.jpg?w=640&q=80", Dialect::Vercel), "/x?url=/a.jpg&w=640&q=80");
  EXPECT_EQ(written("a.jpg?w=640&q=75&f=webp", Dialect::Vercel),
            "error f: f=webp: cannot be said in vercel");
  EXPECT_EQ(written("a.jpg?q=75", Dialect::Next),
            "error w: w: that there is none cannot be said in next");
  EXPECT_EQ(written("a.jpg?w=640&h=480&q=75", Dialect::Next),
            "error h: h=480: cannot be said in next");
}

TEST(Write, CutsForBunny) {
  EXPECT_EQ(written("a.jpg?w=4&h=3&fit=cut&g=se&q=85", Dialect::Bunny),
            "/x/a.jpg?crop=4,3&crop_gravity=southeast");
  EXPECT_EQ(written("a.jpg?w=4&h=3&fit=cut&g=smart&q=85", Dialect::Bunny),
            "/x/a.jpg?face_crop=4,3");
  EXPECT_EQ(written("a.jpg?w=4&h=3&fit=cut&g=fp-0.25-0.75&q=85", Dialect::Bunny),
            "/x/a.jpg?focus_crop=4,3,0.25,0.75");
  EXPECT_EQ(written("a.jpg?w=4&sharp=2&q=85", Dialect::Bunny),
            "error sharp: sharp=2: cannot be said in bunny");
}

TEST(Write, KnowsWhatItCanWrite) {
  EXPECT_TRUE(can_write(Dialect::Ipx));
  for (std::string_view name : dialect_names()) {
    EXPECT_TRUE(can_write(*dialect_named(name))) << name;
  }
  EXPECT_TRUE(written_dialects().starts_with("native, imgix, fastly, cloudinary, "));
}

}  // namespace
}  // namespace tintype
