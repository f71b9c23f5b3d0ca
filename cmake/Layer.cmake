# layer(name deps… [USES libs…]): a folder of src/ becomes a static library tt_<name>; its *_test.cc
# files become the executable <name>_test. tools/tidy reads the same lines and refuses an include
# of a folder that is not among the deps. FUZZ_SOURCES names what the fuzz targets of a layer need
# where the whole layer is more than clang 14 can compile (Asio's coroutines).
include(GoogleTest)

function(layer name)
  cmake_parse_arguments(L "" "" "USES;FUZZ_SOURCES" ${ARGN})
  set(dir "${CMAKE_CURRENT_SOURCE_DIR}/${name}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${dir}/*.cc")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${dir}/*.h")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_(test|bench|fuzz)|/main)\\.cc$")

  set(kind INTERFACE)
  set(library STATIC)
  if(sources)
    set(kind PUBLIC)
  else()
    set(library INTERFACE)
  endif()
  add_library(tt_${name} ${library} ${sources})
  target_sources(tt_${name} ${kind} FILE_SET HEADERS BASE_DIRS "${CMAKE_CURRENT_SOURCE_DIR}"
                 FILES ${headers})
  set_target_properties(tt_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${TINTYPE_HEADER_CHECK})
  target_include_directories(tt_${name} ${kind} "${CMAKE_CURRENT_SOURCE_DIR}")
  foreach(dep IN LISTS L_UNPARSED_ARGUMENTS)
    target_link_libraries(tt_${name} ${kind} tt_${dep})
  endforeach()
  foreach(lib IN LISTS L_USES)
    target_link_libraries(tt_${name} ${kind} use_${lib})
  endforeach()

  if(TINTYPE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE tt_${name} GTest::gmock_main ${RAPIDCHECK_LIBRARY})
    target_compile_definitions(${name}_test PRIVATE TINTYPE_ROOT="${CMAKE_SOURCE_DIR}")
    add_test(NAME unit.${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 240 LABELS unit)
    if(name STREQUAL "worker")  # its processes run at the lowest priority
      set_tests_properties(unit.worker PROPERTIES RUN_SERIAL ON)
    endif()
  endif()
  foreach(fuzzer IN LISTS fuzzers)
    fuzz_target(${name} "${fuzzer}" USES ${L_USES} SOURCES ${L_FUZZ_SOURCES})
  endforeach()
  if(TINTYPE_BENCH AND benches)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE tt_${name} benchmark::benchmark_main)
  endif()
endfunction()

# fuzz_target(layer file): with TINTYPE_FUZZ a libFuzzer program; always a replay program that
# feeds every file of tests/fuzz/corpus/<name>/ to the same entry as an ordinary test.
function(fuzz_target layer file)
  cmake_parse_arguments(F "" "" "USES;SOURCES" ${ARGN})
  get_filename_component(stem "${file}" NAME_WE)
  # The sources that are named, or the whole layer. Replays too: with sanitizers a layer above the
  # network takes minutes to build.
  if(F_SOURCES)
    list(TRANSFORM F_USES PREPEND use_ OUTPUT_VARIABLE libraries)
  else()
    set(libraries tt_${layer})
  endif()
  if(TINTYPE_FUZZ)
    add_executable(${stem} "${file}" ${F_SOURCES})
    target_include_directories(${stem} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_libraries(${stem} PRIVATE ${libraries})
    target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
  endif()
  if(TINTYPE_TESTS)
    string(REGEX REPLACE "_fuzz$" "" corpus "${stem}")
    add_executable(${stem}_replay "${file}" "${CMAKE_SOURCE_DIR}/tests/fuzz/replay.cc"
                                  ${F_SOURCES})
    target_include_directories(${stem}_replay PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_libraries(${stem}_replay PRIVATE ${libraries})
    add_test(NAME fuzz.${corpus}
             COMMAND ${stem}_replay "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${corpus}"
                     "${CMAKE_SOURCE_DIR}/../shared/corpora")
    set_tests_properties(fuzz.${corpus} PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
endfunction()
