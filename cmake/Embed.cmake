# embed(target file symbol): the file's bytes become `tintype::embedded::<symbol>`, a string_view,
# in the target; made again whenever the file changes. Run as a script it writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${FILE}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  file(WRITE "${OUT}" "// Made from ${FILE}.
#include <string_view>
namespace tintype::embedded {
static const char kBytes[] = {\n${bytes}'\\0'};
extern const std::string_view ${SYMBOL};
const std::string_view ${SYMBOL}{kBytes, sizeof kBytes - 1};
}
")
  return()
endif()

function(embed target file symbol)
  get_filename_component(source "${file}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
  set(out "${CMAKE_CURRENT_BINARY_DIR}/embedded/${symbol}.cc")
  set(script "${CMAKE_SOURCE_DIR}/cmake/Embed.cmake")
  add_custom_command(OUTPUT "${out}" DEPENDS "${source}" "${script}"
                     COMMAND "${CMAKE_COMMAND}" "-DFILE=${source}" "-DOUT=${out}"
                             "-DSYMBOL=${symbol}" -P "${script}")
  target_sources(${target} PRIVATE "${out}")
endfunction()

# embed_files(target symbol base file…): all of them; `tintype::embedded::<symbol>()` returns a
# vector of {path below base, text}, in the order given.
function(embed_files target symbol base)
  set(declarations "")
  set(entries "")
  foreach(file IN LISTS ARGN)
    file(RELATIVE_PATH name "${base}" "${file}")
    string(MAKE_C_IDENTIFIER "${symbol}_${name}" part)
    embed(${target} "${file}" ${part})
    string(APPEND declarations "extern const std::string_view ${part};\n")
    string(APPEND entries "      {\"${name}\", ${part}},\n")
  endforeach()
  set(out "${CMAKE_CURRENT_BINARY_DIR}/embedded/${symbol}.cc")
  file(CONFIGURE OUTPUT "${out}" CONTENT "#include <string_view>
#include <utility>
#include <vector>
namespace tintype::embedded {
${declarations}
std::vector<std::pair<std::string_view, std::string_view>> ${symbol}();
std::vector<std::pair<std::string_view, std::string_view>> ${symbol}() {
  return {
${entries}  };
}
}
" @ONLY)
  target_sources(${target} PRIVATE "${out}")
endfunction()
