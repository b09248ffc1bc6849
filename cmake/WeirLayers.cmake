# A layer is a folder. layer_NAME is its object library, present when the folder has a .c file.

# The .c files directly in a folder; a new file is noticed by the next build.
function(weir_sources out folder)
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
    if(folder STREQUAL "core/cc" AND WEIR_CC_REGISTRY)
        list(FILTER found EXCLUDE REGEX "/core/cc/registry\\.c$")
        list(APPEND found ${WEIR_CC_REGISTRY})
    endif()
    set(${out} ${found} PARENT_SCOPE)
endfunction()

# What the unit tests of a layer are linked with: the layer and those below it; default: all.
set(below_base base)
set(below_wire base wire)
set(below_cc base cc)
set(below_tcp base wire cc tcp)
set(below_udp base wire udp)
set(below_ip base wire ip)
set(below_stack base wire cc tcp udp ip stack)
set(below_sim base wire cc tcp udp ip stack format sim)

function(weir_layer name folder flags)
    weir_sources(sources ${folder})
    if(sources)
        add_library(layer_${name} OBJECT ${sources})
        target_link_libraries(layer_${name} PRIVATE ${flags})
        target_compile_options(layer_${name} PRIVATE ${lto_flags})
    endif()
endfunction()

function(weir_core_layer name folder)
    weir_layer(${name} ${folder} weir_core_flags)
    if(TARGET layer_${name})
        target_compile_options(layer_${name} PRIVATE ${weir_pure_options})
    endif()
endfunction()

function(weir_outer_layer name folder)
    weir_layer(${name} ${folder} weir_outer_flags)
endfunction()

# The objects of those of the named layers that exist.
function(weir_objects out)
    set(objects)
    foreach(name ${ARGN})
        if(TARGET layer_${name})
            list(APPEND objects $<TARGET_OBJECTS:layer_${name}>)
        endif()
    endforeach()
    set(${out} ${objects} PARENT_SCOPE)
endfunction()
