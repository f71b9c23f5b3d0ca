# One place for the language level and the warnings; presets choose optimisation and sanitizers.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(TINTYPE_WERROR "Treat warnings as errors" ON)
add_compile_options(-Wall -Wextra -Wshadow -Wno-missing-field-initializers
                    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(TINTYPE_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives from inlined standard containers at -O1 and above.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fcoroutines> -Wno-maybe-uninitialized
                      -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict
                      $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete>
                      $<$<COMPILE_LANGUAGE:CXX>:-Wno-dangling-pointer>)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()
