{% materialization view, adapter='postgres' %}
    {{ return(build_in_place('view')) }}
{% endmaterialization %}
