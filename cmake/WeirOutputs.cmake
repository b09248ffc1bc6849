# What is built for others: libweir.a, libweir.so, libweir-os.a, the program weir, the examples.

set(core_layers base wire cc tcp udp ip stack)
set(os_layers drivers host posix replay)
set(inner_layers ${core_layers} ${os_layers} format trace sim drill bench)

weir_objects(core_objects ${core_layers})
weir_objects(os_objects ${os_layers})
weir_objects(os_needs_objects base wire format)
weir_objects(inner_objects ${inner_layers})

string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
separate_arguments(join_flags UNIX_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${build_type}}")
if(WEIR_LTO)
    list(APPEND join_flags -flto=auto -flinker-output=nolto-rel ${weir_pure_options})
endif()
set(join ${CMAKE_COMMAND} -E env "OBJCOPY=${CMAKE_OBJCOPY}" "NM=${CMAKE_NM}" "AR=${CMAKE_AR}"
    ${PROJECT_SOURCE_DIR}/tools/join_objects.sh)

# One relocatable object made of the listed ones; for the kinds see the script.
function(weir_join kind output)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "OBJECTS;HELPERS;PROVIDED")
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${join} ${kind} ${output} "${arg_OBJECTS}" --helpers "${arg_HELPERS}"
            --provided "${arg_PROVIDED}" --cc ${CMAKE_C_COMPILER} ${join_flags}
        DEPENDS ${arg_OBJECTS} ${arg_HELPERS} ${arg_PROVIDED}
            ${PROJECT_SOURCE_DIR}/tools/join_objects.sh
        COMMENT "Joining ${output}"
        COMMAND_EXPAND_LISTS VERBATIM)
    set_source_files_properties(${output} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
endfunction()

if(core_objects)
    weir_join($<IF:$<BOOL:${WEIR_LTO}>,whole,closed> weir.o OBJECTS ${core_objects})
    add_custom_target(weir_object DEPENDS weir.o)

    add_library(weir_static STATIC weir.o)
    add_library(weir_shared SHARED weir.o)
    set_target_properties(weir_static weir_shared PROPERTIES OUTPUT_NAME weir LINKER_LANGUAGE C)
    set_target_properties(weir_shared PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    target_link_libraries(weir_shared PRIVATE weir_flags)
    add_dependencies(weir_static weir_object)
    add_dependencies(weir_shared weir_object)
endif()

if(os_objects)
    weir_join(closed weir-os.o OBJECTS ${os_objects} HELPERS ${os_needs_objects} PROVIDED weir.o)
    add_custom_target(weir_os_object DEPENDS weir-os.o)
    add_library(weir_os_static STATIC weir-os.o)
    set_target_properties(weir_os_static PROPERTIES OUTPUT_NAME weir-os LINKER_LANGUAGE C)
    add_dependencies(weir_os_static weir_os_object)
endif()

# The simulator: links for whoever wants them, a world over the public interface.
weir_objects(sim_objects sim)
weir_objects(sim_needs_objects base wire format)
if(sim_objects)
    weir_join(closed weir-sim.o OBJECTS ${sim_objects} HELPERS ${sim_needs_objects} PROVIDED weir.o)
    add_custom_target(weir_sim_object DEPENDS weir-sim.o)
    add_library(weir_sim_static STATIC weir-sim.o)
    set_target_properties(weir_sim_static PROPERTIES OUTPUT_NAME weir-sim LINKER_LANGUAGE C)
    add_dependencies(weir_sim_static weir_sim_object)
endif()

# Tests and fuzzers see internal names: those of all layers, or of the layers given. With link-time
# optimisation they share one joined object, or each of them would optimise everything again.
if(WEIR_LTO AND inner_objects)
    weir_join(open weir-open.o OBJECTS ${inner_objects})
    add_custom_target(weir_open_object DEPENDS weir-open.o)
endif()

function(weir_link_visible target)
    if(TARGET weir_open_object)
        set(objects weir-open.o)
        add_dependencies(${target} weir_open_object)
    elseif(ARGN)
        weir_objects(objects ${ARGN})
    else()
        set(objects ${inner_objects})
    endif()
    target_sources(${target} PRIVATE ${objects})
    target_link_libraries(${target} PRIVATE weir_outer_flags Threads::Threads m)
endfunction()

weir_sources(cli_sources cli)
if(cli_sources)
    add_executable(weir ${cli_sources} ${inner_objects})
    target_link_libraries(weir PRIVATE weir_outer_flags Threads::Threads m)
    target_compile_options(weir PRIVATE ${lto_flags})
    target_link_options(weir PRIVATE ${lto_flags})
    target_compile_definitions(weir PRIVATE WEIR_VERSION="${PROJECT_VERSION}")
endif()

# What google's packetdrill loads to test Weir. It exports one function and nothing else.
weir_sources(packetdrill_sources drill/so)
if(packetdrill_sources AND TARGET layer_posix)
    add_library(weir_packetdrill SHARED ${packetdrill_sources})
    weir_link_visible(weir_packetdrill)
    target_link_options(weir_packetdrill PRIVATE -Wl,--gc-sections
        -Wl,--version-script=${PROJECT_SOURCE_DIR}/drill/so/exports)
    set_target_properties(weir_packetdrill PROPERTIES
        LINK_DEPENDS ${PROJECT_SOURCE_DIR}/drill/so/exports)
endif()

# Each example is a program of its own over the public headers and libraries alone.
weir_sources(example_sources examples)
foreach(source ${example_sources})
    cmake_path(GET source STEM name)
    add_executable(example_${name} ${source})
    set_target_properties(example_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
    target_include_directories(example_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    target_compile_definitions(example_${name} PRIVATE _GNU_SOURCE)
    if(TARGET weir_os_static)
        target_link_libraries(example_${name} PRIVATE weir_os_static)
    endif()
    target_link_libraries(example_${name} PRIVATE weir_static weir_flags Threads::Threads)
endforeach()
