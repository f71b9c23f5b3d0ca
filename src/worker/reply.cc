// SPDX-License-Identifier: Apache-2.0
#include "worker/reply.h"

#include <string>
#include <string_view>
#include <utility>

#include "image/sniff.h"

namespace tintype {
namespace {

ReplyVerdict lie(std::string what) {
  return {.is_honest = false,
          .answer = fail_private(ErrorCode::Internal, "a worker lied: " + std::move(what))};
}

// The codes a render can end with (engine/render.h); the others are for others to give.
bool is_render_failure(std::int32_t code) {
  for (ErrorCode known : {ErrorCode::BadRequest, ErrorCode::Unsupported, ErrorCode::Corrupt,
                          ErrorCode::TooLarge, ErrorCode::Internal}) {
    if (code == static_cast<std::int32_t>(known)) return true;
  }
  return false;
}

// Printable ASCII only: the text goes into logs and problem documents.
std::string plain(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

Error error_of(const ReplyMessage& reply) {
  return {.code = static_cast<ErrorCode>(reply.code),
          .message = plain(peek_text(reply.message)),
          .detail = plain(peek_text(reply.detail)),
          .option = plain(peek_text(reply.option))};
}

std::string text_of_size(Size size) {
  return std::to_string(size.width_px) + "x" + std::to_string(size.height_px);
}

bool is_planned_size(Size size, const Plan& plan) {
  const Size planned = plan.variant_size();
  if (plan.is_size_exact) return size == planned;
  return !size.empty() && size.width_px <= planned.width_px && size.height_px <= planned.height_px;
}

}  // namespace

ReplyVerdict judge(const ReplyMessage& reply, const JobMessage& job, const Arena& arena,
                   const ArenaShape& shape) {
  if (reply.id != job.id) return lie("a reply to another job");
  if (reply.code != kRenderedCode) {
    if (!is_render_failure(reply.code)) return lie("code " + std::to_string(reply.code));
    return {.is_honest = true, .answer = fail(error_of(reply))};
  }
  if (reply.variant_bytes == 0 || reply.variant_bytes > shape.variant_bytes) {
    return lie(std::to_string(reply.variant_bytes) + " bytes of variant");
  }
  RenderedVariant variant{.bytes = arena.take_variant(reply.variant_bytes)};
  const Result<ImageInfo> info = sniff(variant.bytes);
  if (!info) return lie("the variant is no picture: " + info.error().message);
  if (info->format != job.plan.encode.format) {
    return lie("the variant is " + std::string(name_of(info->format)));
  }
  variant.size = info->upright();
  if (!is_planned_size(variant.size, job.plan)) {
    return lie("the variant is " + text_of_size(variant.size) + " instead of " +
               text_of_size(job.plan.variant_size()));
  }
  variant.has_alpha = reply.has_alpha != 0;
  return {.is_honest = true, .answer = std::move(variant)};
}

}  // namespace tintype
