// SPDX-License-Identifier: Apache-2.0
// The bodies of hooks, by recipe: generic JSON under the rule's pointers (Aprimo's too), Bynder's
// and S3's events as they are or inside an SNS notification or an EventBridge event, Cloudinary's
// notifications. What is read and what each field means stands in docs/operating/hooks.md. Pure;
// nothing in a body is trusted to be there or of its type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/hook_proof.h"
#include "policy/policy.h"

namespace tintype {

enum class HookEvent : std::uint8_t { Changed, Deleted, Other };

struct HookChange {
  HookEvent kind = HookEvent::Changed;
  std::string path;        // as the sender writes it, decoded where it encodes
  bool is_prefix = false;  // without the file's ending, which the sender does not say
};

struct HookMessage {
  std::string event;                // the sender's word for it
  std::vector<HookChange> changes;  // empty: nothing of ours
  std::string subscribe_url;        // of an SNS SubscriptionConfirmation
};

// Fails with 400 naming what is missing.
HookResult<HookMessage> read_hook_body(const HookRule& rule, std::string_view body);

// What a word such as "asset.updated", "ObjectRemoved:Delete" or "RecordCreated" says. Deletion
// wins where a word says both, as "ObjectRemoved:DeleteMarkerCreated" does.
HookEvent kind_of_event(std::string_view word);

}  // namespace tintype
