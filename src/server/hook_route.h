// SPDX-License-Identifier: Apache-2.0
// The hooks' route: POST /_/hooks/asset/<site>/<name>, on the image port too, because a DAM sends
// from outside. Turns the request into a HookCall and the desk's word into an answer; decides
// nothing.
#pragma once

#include "delivery/hook_desk.h"
#include "server/admin_api.h"

namespace tintype {

// The desk must outlive the route.
AdminRoute hook_route(HookDesk& desk);

}  // namespace tintype
