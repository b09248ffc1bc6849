# Tests. A folder tests/unit/X is the program unit_X; a file fuzz/X.c is the program fuzz_X.

# cmocka is there for the machine we build on, rarely for the one we cross-build for.
set(saved_flags ${CMAKE_REQUIRED_LIBRARIES})
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES cmocka)
check_c_source_compiles("
    #include <stdarg.h>
    #include <stddef.h>
    #include <stdint.h>
    #include <setjmp.h>
    #include <cmocka.h>
    int main(void) { return _cmocka_run_group_tests(\"\", NULL, 0, NULL, NULL); }" WEIR_HAVE_CMOCKA)
# OpenSSL's digests likewise: only tests use them.
set(CMAKE_REQUIRED_LIBRARIES crypto)
check_c_source_compiles("
    #include <openssl/core_names.h>
    #include <openssl/evp.h>
    int main(void) { return EVP_MAC_fetch(NULL, OSSL_MAC_NAME_CMAC, NULL) == NULL; }"
    WEIR_HAVE_LIBCRYPTO)
set(CMAKE_REQUIRED_LIBRARIES ${saved_flags})
option(WEIR_WITH_LIBCRYPTO "Test segments with digests" ${WEIR_HAVE_LIBCRYPTO})
option(WEIR_WITH_CMOCKA "Run the unit tests with cmocka" ${WEIR_HAVE_CMOCKA})

# An archive: a file of tests/lib is linked into the programs that use it.
weir_sources(tests_lib_sources tests/lib)
if(NOT WEIR_WITH_LIBCRYPTO)
    list(FILTER tests_lib_sources EXCLUDE REGEX "/libcrypto\\.c$")
endif()
list(APPEND tests_lib_sources # what tests of TCP write segments in
    ${PROJECT_SOURCE_DIR}/format/seg_text.c ${PROJECT_SOURCE_DIR}/format/text.c)
add_library(tests_lib STATIC ${tests_lib_sources})
set_target_properties(tests_lib PROPERTIES ARCHIVE_OUTPUT_DIRECTORY CMakeFiles)
target_link_libraries(tests_lib PRIVATE weir_outer_flags)
target_include_directories(tests_lib PRIVATE ${PROJECT_SOURCE_DIR}/tests)
if(WEIR_WITH_CMOCKA)
    target_compile_definitions(tests_lib PRIVATE WEIR_WITH_CMOCKA)
endif()

set(test_environment
    WEIR_SOURCE=${PROJECT_SOURCE_DIR} WEIR_BUILD=${PROJECT_BINARY_DIR}
    UBSAN_OPTIONS=print_stacktrace=1)

function(weir_add_test name label)
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES
        LABELS ${label} TIMEOUT 300 SKIP_RETURN_CODE 77 ENVIRONMENT "${test_environment}")
endfunction()

# ---- unit tests ----

file(GLOB unit_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/*/*.c)
set(unit_folders)
foreach(source ${unit_sources})
    cmake_path(GET source PARENT_PATH folder)
    list(APPEND unit_folders ${folder})
endforeach()
list(REMOVE_DUPLICATES unit_folders)
if(NOT WEIR_WITH_LIBCRYPTO)
    list(FILTER unit_folders EXCLUDE REGEX "/crypto$")
endif()

set(small_sources)
foreach(name ${core_layers})
    weir_sources(sources core/${name} ${weir_parts})
    list(APPEND small_sources ${sources})
endforeach()
weir_without_definitions(small_definitions ${weir_parts})
add_library(small_core OBJECT ${small_sources})
target_link_libraries(small_core PRIVATE weir_core_flags)
target_compile_options(small_core PRIVATE ${weir_pure_options})
target_compile_definitions(small_core PRIVATE ${small_definitions})

foreach(folder ${unit_folders})
    cmake_path(GET folder FILENAME name)
    set(sources ${unit_sources})
    list(FILTER sources INCLUDE REGEX "/tests/unit/${name}/")
    add_executable(unit_${name} ${sources})
    if(NOT name STREQUAL "small")
        target_link_libraries(unit_${name} PRIVATE tests_lib)
    endif()
    if(name STREQUAL "posix") # its lab can refuse memory
        target_link_options(unit_posix PRIVATE -Wl,--wrap=realloc)
    endif()
    if(name STREQUAL "crypto")
        target_link_libraries(unit_crypto PRIVATE crypto)
    endif()
    if(name STREQUAL "cli") # the commands, without their main
        set(commands ${cli_sources})
        list(FILTER commands EXCLUDE REGEX "/main\\.c$")
        target_sources(unit_cli PRIVATE ${commands})
        target_compile_definitions(unit_cli PRIVATE WEIR_VERSION="${PROJECT_VERSION}")
    endif()
    if(name STREQUAL "small") # a library without any of the parts that can be left out
        set(sources ${tests_lib_sources})
        list(FILTER sources EXCLUDE REGEX "/libcrypto\\.c$")
        target_sources(unit_small PRIVATE ${sources} $<TARGET_OBJECTS:small_core>
            ${PROJECT_SOURCE_DIR}/tests/unit/ip/world.c)
        target_compile_definitions(unit_small PRIVATE ${small_definitions}
            $<$<BOOL:${WEIR_WITH_CMOCKA}>:WEIR_WITH_CMOCKA>)
        target_link_libraries(unit_small PRIVATE weir_outer_flags Threads::Threads m)
    else()
        weir_link_visible(unit_${name} ${below_${name}})
    endif()
    target_include_directories(unit_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    if(WEIR_WITH_CMOCKA)
        target_link_libraries(unit_${name} PRIVATE cmocka)
    endif()
    weir_add_test(unit_${name} unit unit_${name})
endforeach()

# ---- fuzz targets: with libFuzzer, or as programs that replay the kept corpus ----

weir_sources(fuzz_sources fuzz)
set(fuzz_helpers)
set(fuzz_targets)
foreach(source ${fuzz_sources})
    weir_read(entry ${source} "LLVMFuzzerTestOneInput")
    if(entry)
        list(APPEND fuzz_targets ${source})
    else()
        list(APPEND fuzz_helpers ${source})
    endif()
endforeach()

foreach(source ${fuzz_targets})
    cmake_path(GET source STEM name)
    string(REGEX REPLACE "^fuzz_" "" name ${name})
    add_executable(fuzz_${name} ${source} ${fuzz_helpers})
    weir_link_visible(fuzz_${name})
    target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    if(WEIR_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tools/fuzz_replay.c)
        weir_add_test(fuzz_${name}_corpus fuzz
            fuzz_${name} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
    endif()
endforeach()

# ---- programs of tests/interop: those with a main, over the public headers and libraries ----

weir_sources(interop_sources tests/interop)
set(interop_helpers)
set(interop_programs)
foreach(source ${interop_sources})
    weir_read(entry ${source} "^int main\\(")
    if(entry)
        list(APPEND interop_programs ${source})
    else()
        list(APPEND interop_helpers ${source})
    endif()
endforeach()

if(NOT TARGET weir_os_static)
    set(interop_programs)
endif()
if(WEIR_WITH_LIBCRYPTO)
    list(FILTER interop_helpers EXCLUDE REGEX "/no_crypto\\.c$")
    list(APPEND interop_helpers ${PROJECT_SOURCE_DIR}/tests/lib/libcrypto.c)
    set(interop_libraries crypto)
endif()
foreach(source ${interop_programs})
    cmake_path(GET source STEM name)
    add_executable(interop_${name} ${source} ${interop_helpers})
    target_include_directories(interop_${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(interop_${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(interop_${name} PRIVATE
        weir_os_static weir_static weir_flags Threads::Threads ${interop_libraries})
endforeach()

# ---- the comparison of sockets: one program, over the kernel's and over Weir's ----

weir_sources(posix_sources tests/posix)
if(posix_sources AND TARGET weir_os_static)
    add_executable(posix_compare ${posix_sources})
    target_include_directories(posix_compare PRIVATE
        ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(posix_compare PRIVATE _GNU_SOURCE)
    target_link_libraries(posix_compare PRIVATE
        weir_os_static weir_static weir_flags Threads::Threads)
    weir_add_test(posix_compare posix
        ${PROJECT_SOURCE_DIR}/tests/posix/compare.sh $<TARGET_FILE:posix_compare>)
endif()

# ---- examples: run without arguments, or by a script that is given the program ----

file(GLOB example_scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/examples/*.sh)
foreach(source ${example_sources})
    cmake_path(GET source STEM name)
    set(script ${PROJECT_SOURCE_DIR}/tests/examples/${name}.sh)
    if(script IN_LIST example_scripts)
        weir_add_test(example_${name} example ${script} $<TARGET_FILE:example_${name}>)
    else()
        weir_add_test(example_${name} example example_${name})
    endif()
endforeach()

# ---- scripts that run the program: golden ladders, command lines ----

file(GLOB scripts CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/tests/golden/*.sh ${PROJECT_SOURCE_DIR}/tests/cli/*.sh
    ${PROJECT_SOURCE_DIR}/tests/conform/*.sh)
if(NOT TARGET weir)
    set(scripts)
endif()
foreach(script ${scripts})
    cmake_path(GET script STEM name)
    cmake_path(GET script PARENT_PATH folder)
    cmake_path(GET folder FILENAME group)
    weir_add_test(${group}_${name} ${group} ${script})
endforeach()

# Those that take longest begin first, or all would wait for them in the end.
foreach(name unit_stack unit_tcp unit_posix cli_serve cli_stream cli_link)
    if(TEST ${name})
        set_tests_properties(${name} PROPERTIES COST 100)
    endif()
endforeach()
