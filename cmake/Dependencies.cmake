# Every library the project links, found once. A layer names what it uses: layer(… USES vips).
# The folder that owns a library is the only one that may include its headers (tools/tidy holds it).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(pkg_library name)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${ARGN})
  add_library(use_${name} INTERFACE)
  target_link_libraries(use_${name} INTERFACE PkgConfig::${name})
endfunction()

pkg_library(vips vips>=8.14 gmodule-no-export-2.0)
pkg_library(curl libcurl>=7.88)
pkg_library(seccomp libseccomp>=2.5)
pkg_library(sqlite sqlite3)
pkg_library(yaml yaml-cpp)
pkg_library(json nlohmann_json)
pkg_library(log spdlog fmt)
pkg_library(xxhash libxxhash)
pkg_library(zlib zlib)
pkg_library(crypto libcrypto)

find_package(prometheus-cpp REQUIRED CONFIG)
add_library(use_prometheus INTERFACE)
target_link_libraries(use_prometheus INTERFACE prometheus-cpp::core)

# Header-only.
add_library(use_cli11 INTERFACE)
add_library(use_expected INTERFACE)
add_library(use_asio INTERFACE)
target_compile_definitions(use_asio INTERFACE ASIO_STANDALONE ASIO_SEPARATE_COMPILATION
                                              ASIO_NO_DEPRECATED
                                              ASIO_DISABLE_BOOST_DATE_TIME)
target_link_libraries(use_asio INTERFACE Threads::Threads)

# llhttp: Debian 12 ships Node's parser as C sources inside node-llhttp; Debian 13 has
# libllhttp-dev.
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp /usr/include REQUIRED)
find_file(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
if(LLHTTP_SOURCE)
  get_filename_component(LLHTTP_DIR "${LLHTTP_SOURCE}" DIRECTORY)
  add_library(tt_llhttp STATIC "${LLHTTP_DIR}/llhttp.c" "${LLHTTP_DIR}/api.c"
                               "${LLHTTP_DIR}/http.c")
  target_include_directories(tt_llhttp SYSTEM PUBLIC "${LLHTTP_INCLUDE}")
  target_compile_options(tt_llhttp PRIVATE -w -O2)
else()
  find_library(LLHTTP_LIBRARY llhttp REQUIRED)
  add_library(tt_llhttp INTERFACE)
  target_include_directories(tt_llhttp SYSTEM INTERFACE "${LLHTTP_INCLUDE}")
  target_link_libraries(tt_llhttp INTERFACE "${LLHTTP_LIBRARY}")
endif()
add_library(use_llhttp INTERFACE)
target_link_libraries(use_llhttp INTERFACE tt_llhttp)

if(TINTYPE_TESTS)
  find_package(GTest REQUIRED)
  # Debian's RapidCheck has no working CMake package on every release: plain library and header.
  find_library(RAPIDCHECK_LIBRARY rapidcheck REQUIRED)
endif()
if(TINTYPE_BENCH)
  find_package(benchmark REQUIRED)
endif()
