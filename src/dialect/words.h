// SPDX-License-Identifier: Apache-2.0
// Small tables of words: lists of names in one string, the parameters of a query by name, and what
// counts as a number in a path. Pure; views point into what was given. A list has a few dozen
// words, so it is walked.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tintype {

// By name; which of two of one name counts is the dialect's to say.
using Parameters = std::map<std::string, std::string, std::less<>>;

// Whether `name` is one of `names`, which are separated by single spaces.
inline bool is_among(std::string_view names, std::string_view name) {
  for (std::size_t end = 0; !names.empty(); names.remove_prefix(std::min(end + 1, names.size()))) {
    end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == name) return true;
  }
  return false;
}

// Whether it is digits and nothing else, one at least: no sign, no point.
inline bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "theirs=ours theirs2=ours2": what stands behind `word`, or the word itself.
inline std::string_view word_behind(std::string_view pairs, std::string_view word) {
  for (std::size_t end = 0; !pairs.empty(); pairs.remove_prefix(std::min(end + 1, pairs.size()))) {
    end = std::min(pairs.find(' '), pairs.size());
    std::string_view pair = pairs.substr(0, end);
    bool is_it = pair.starts_with(word) && pair.substr(word.size()).starts_with('=');
    if (is_it) return pair.substr(word.size() + 1);
  }
  return word;
}

// Null where the parameter is not there.
inline const std::string* find(const Parameters& parameters, std::string_view name) {
  auto at = parameters.find(name);
  return at == parameters.end() ? nullptr : &at->second;
}

}  // namespace tintype
