# Flags for everything. Targets link weir_flags (all code) and, in the core, weir_core_flags.

set(gcc_like_warnings
    -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wvla -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef
    -Wimplicit-fallthrough -Wredundant-decls)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND gcc_like_warnings -Wlogical-op -Wduplicated-cond)
endif()

add_library(weir_flags INTERFACE)
target_compile_options(weir_flags INTERFACE ${gcc_like_warnings} $<$<BOOL:${WEIR_WERROR}>:-Werror>
    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=) # __FILE__ names no machine's folders

# libFuzzer's own main is linked into the fuzz targets alone.
if(WEIR_SANITIZE)
    string(REPLACE "fuzzer," "" link_sanitize "${WEIR_SANITIZE}")
    string(REPLACE "fuzzer-no-link," "" link_sanitize "${link_sanitize}")
    target_compile_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE}
        -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(weir_flags INTERFACE -fsanitize=${link_sanitize})
endif()

# Only gcc makes one native object of several LTO objects; elsewhere the core is compiled file
# by file, which costs speed and nothing else.
if(WEIR_LTO AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(STATUS "No link-time optimisation with ${CMAKE_C_COMPILER_ID}")
    set(WEIR_LTO OFF)
endif()
set(lto_flags $<$<BOOL:${WEIR_LTO}>:-flto=auto>)

add_library(weir_core_flags INTERFACE)
target_link_libraries(weir_core_flags INTERFACE weir_flags)
target_compile_options(weir_core_flags INTERFACE -fvisibility=hidden)

# Distributions' compilers add calls of their own to code that has to need nothing: stack guards,
# checked copies, bcmp for memcmp. Public functions may be inlined where the core calls them.
set(weir_pure_options -fno-stack-protector -U_FORTIFY_SOURCE -fno-builtin-bcmp
    -fno-semantic-interposition -ffunction-sections -fdata-sections)
target_include_directories(weir_core_flags INTERFACE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/core)

if(WEIR_QUIET_CHECKS)
    target_compile_definitions(weir_core_flags INTERFACE WEIR_QUIET_CHECKS)
endif()

add_library(weir_outer_flags INTERFACE)
target_link_libraries(weir_outer_flags INTERFACE weir_core_flags)
target_compile_definitions(weir_outer_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_include_directories(weir_outer_flags INTERFACE ${PROJECT_SOURCE_DIR})

find_package(Threads REQUIRED)
