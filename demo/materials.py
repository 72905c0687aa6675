"""The demo's surfaces, sun and sky: rough, and mottled at every scale, so that photos of them can be matched.

All patterns live in world coordinates: they stay where they are from view to view.
"""

import math

import bpy


class Surface:
    """A diffuse material grown layer by layer on `color`, the output socket of what is painted so far."""

    def __init__(self, name: str, color: tuple[float, float, float]):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.nodes, self.links = self.material.node_tree.nodes, self.material.node_tree.links
        self.nodes.clear()
        self.position = self.nodes.new("ShaderNodeNewGeometry").outputs["Position"]
        self.color = self.nodes.new("ShaderNodeRGB").outputs[0]
        self.color.default_value = (*color, 1)

    def _range(self, value, low: float, high: float, to_low: float = 0, to_high: float = 1):
        node = self.nodes.new("ShaderNodeMapRange")
        node.interpolation_type = "SMOOTHSTEP"
        self.links.new(value, node.inputs["Value"])
        for name, number in {"From Min": low, "From Max": high, "To Min": to_low, "To Max": to_high}.items():
            node.inputs[name].default_value = number
        return node.outputs["Result"]

    def noise(self, size: float, low: float, high: float, detail: float = 3, roughness=0.6, stretch=1.0):
        """A mask 0..1 of cloudy patches `size` meters wide; they run down the surface where stretch > 1."""
        vector = self.nodes.new("ShaderNodeVectorMath")
        vector.operation = "MULTIPLY"
        self.links.new(self.position, vector.inputs[0])
        vector.inputs[1].default_value = (1 / size, 1 / size, 1 / size / stretch)
        node = self.nodes.new("ShaderNodeTexNoise")
        self.links.new(vector.outputs[0], node.inputs["Vector"])
        node.inputs["Scale"].default_value = 1
        node.inputs["Detail"].default_value = detail
        node.inputs["Roughness"].default_value = roughness
        return self._range(node.outputs[0], low, high)

    def spots(self, size: float, low: float, high: float):
        """A mask of roundish spots, one in each cell of `size` meters: 1 in their middle."""
        node = self._voronoi(size)
        return self._range(node.outputs["Distance"], low, high, 1, 0)

    def grains(self, size: float, low: float = 0, high: float = 1):
        """A random number for each grain of `size` meters."""
        return self._range(self._voronoi(size).outputs["Color"], low, high)

    def _voronoi(self, size: float):
        node = self.nodes.new("ShaderNodeTexVoronoi")
        self.links.new(self.position, node.inputs["Vector"])
        node.inputs["Scale"].default_value = 1 / size
        return node

    def stored(self, name: str, low: float = 0, high: float = 1):
        """A mask from a vertex attribute of the mesh."""
        node = self.nodes.new("ShaderNodeAttribute")
        node.attribute_name = name
        return self._range(node.outputs["Fac"], low, high)

    def facing_up(self):
        """A mask of what faces the sky."""
        split = self.nodes.new("ShaderNodeSeparateXYZ")
        self.links.new(self.nodes.new("ShaderNodeNewGeometry").outputs["Normal"], split.inputs[0])
        return self._range(split.outputs["Z"], 0.2, 0.9)

    def both(self, first, second):
        """Product of two masks."""
        node = self.nodes.new("ShaderNodeMath")
        node.operation = "MULTIPLY"
        self.links.new(first, node.inputs[0])
        self.links.new(second, node.inputs[1])
        return node.outputs[0]

    def layer(self, color, mask, strength: float = 1.0, blend: str = "MIX"):
        """Paint a color (a triple, or another Surface of the same material) where the mask is."""
        node = self.nodes.new("ShaderNodeMix")
        node.data_type, node.blend_type = "RGBA", blend
        # The sockets of the RGBA kind: factor 0, A 6, B 7, result 2.
        if strength != 1.0:
            scale = self.nodes.new("ShaderNodeMath")
            scale.operation = "MULTIPLY"
            scale.inputs[1].default_value = strength
            self.links.new(mask, scale.inputs[0])
            mask = scale.outputs[0]
        self.links.new(mask, node.inputs[0])
        self.links.new(self.color, node.inputs[6])
        node.inputs[7].default_value = (*color, 1)
        self.color = node.outputs[2]
        return self

    def finish(self, mean: tuple[float, float, float]):
        """The material, with the painted color on a rough diffuse surface.

        Light that bounces off it has its mean color: a third of the rendering time saved, no visible difference.
        """
        seen, bounced = (self.nodes.new("ShaderNodeBsdfDiffuse") for _ in range(2))
        seen.inputs["Roughness"].default_value = 0.6
        self.links.new(self.color, seen.inputs["Color"])
        bounced.inputs["Color"].default_value = (*mean, 1)
        mix = self.nodes.new("ShaderNodeMixShader")
        self.links.new(self.nodes.new("ShaderNodeLightPath").outputs["Is Camera Ray"], mix.inputs[0])
        self.links.new(bounced.outputs[0], mix.inputs[1])
        self.links.new(seen.outputs[0], mix.inputs[2])
        output = self.nodes.new("ShaderNodeOutputMaterial")
        self.links.new(mix.outputs[0], output.inputs["Surface"])
        return self.material


def limestone():
    """Warm limestone: grain, iron stains, dark streaks, pale and orange lichen, moss where rain stays."""
    s = Surface("Limestone", (0.50, 0.42, 0.30))
    s.layer((0.62, 0.56, 0.45), s.noise(0.12, 0.42, 0.62))
    s.layer((0.40, 0.26, 0.13), s.noise(0.055, 0.52, 0.70, detail=5), 0.7)
    s.layer((0.16, 0.13, 0.10), s.noise(0.035, 0.50, 0.66, stretch=5), 0.65)
    s.layer((0.20, 0.17, 0.13), s.noise(0.009, 0.52, 0.64), 0.75)
    s.layer((0.80, 0.76, 0.66), s.noise(0.006, 0.56, 0.66), 0.7)
    s.layer((0.10, 0.09, 0.07), s.stored("relief", 0.0, -0.004), 0.6)
    s.layer((0.72, 0.73, 0.62), s.both(s.spots(0.032, 0.28, 0.36), s.noise(0.1, 0.48, 0.56)), 0.85)
    s.layer((0.58, 0.30, 0.05), s.both(s.spots(0.021, 0.25, 0.36), s.noise(0.085, 0.53, 0.6)), 0.9)
    s.layer((0.10, 0.14, 0.035), s.both(s.facing_up(), s.noise(0.03, 0.50, 0.60, detail=5)), 0.8)
    return s.finish((0.45, 0.40, 0.31))


def bronze():
    """Old bronze outdoors: brown skin, verdigris in patches and runs, dark hollows, worn ridges."""
    s = Surface("Bronze", (0.15, 0.085, 0.042))
    s.layer((0.30, 0.18, 0.085), s.noise(0.02, 0.46, 0.62, detail=4), 0.9)
    s.layer((0.17, 0.31, 0.24), s.noise(0.075, 0.44, 0.58, detail=5, stretch=2.2), 0.95)
    s.layer((0.34, 0.48, 0.38), s.noise(0.024, 0.52, 0.64, detail=4, stretch=1.8), 0.85)
    s.layer((0.05, 0.05, 0.035), s.noise(0.030, 0.56, 0.68, stretch=6), 0.8)
    s.layer((0.035, 0.032, 0.025), s.stored("relief", -0.0005, -0.0035), 0.8)
    s.layer((0.50, 0.36, 0.19), s.both(s.stored("relief", 0.001, 0.003), s.noise(0.012, 0.42, 0.6)), 0.6)
    s.layer((0.05, 0.06, 0.045), s.noise(0.007, 0.52, 0.62), 0.8)
    s.layer((0.42, 0.46, 0.34), s.noise(0.005, 0.57, 0.66), 0.6)
    s.layer((0.52, 0.66, 0.54), s.both(s.spots(0.012, 0.22, 0.34), s.noise(0.05, 0.5, 0.58)), 0.8)
    return s.finish((0.17, 0.22, 0.16))


def rock():
    """Dark gray rock with pale crystals and lichen: ammonite and rocks."""
    s = Surface("Rock", (0.20, 0.19, 0.18))
    s.layer((0.34, 0.30, 0.25), s.noise(0.04, 0.45, 0.6, detail=5))
    s.layer((0.07, 0.07, 0.075), s.noise(0.010, 0.52, 0.64), 0.85)
    s.layer((0.60, 0.57, 0.52), s.noise(0.006, 0.58, 0.68), 0.85)
    s.layer((0.05, 0.045, 0.04), s.stored("relief", -0.001, -0.006), 0.5)
    s.layer((0.62, 0.64, 0.48), s.both(s.spots(0.026, 0.26, 0.36), s.noise(0.08, 0.50, 0.58)), 0.85)
    s.layer((0.11, 0.15, 0.04), s.both(s.facing_up(), s.noise(0.04, 0.54, 0.62, detail=5)), 0.85)
    return s.finish((0.24, 0.23, 0.20))


def leaves():
    """The garland: the same bronze, greener."""
    s = Surface("Garland", (0.10, 0.20, 0.13))
    s.layer((0.25, 0.42, 0.30), s.noise(0.018, 0.45, 0.6, detail=4), 0.9)
    s.layer((0.06, 0.06, 0.04), s.noise(0.006, 0.53, 0.64), 0.8)
    s.layer((0.36, 0.22, 0.10), s.noise(0.03, 0.53, 0.64, detail=4), 0.8)
    s.layer((0.50, 0.60, 0.46), s.spots(0.008, 0.16, 0.28), 0.6)
    return s.finish((0.17, 0.26, 0.18))


def yard():
    """Flagstones of different gray, moss and sand in their joints, gravel, then grass."""
    s = Surface("Yard", (0.30, 0.25, 0.18))
    s.layer((0.13, 0.10, 0.07), s.stored("pebble", 0.0, 0.35), 0.8)
    s.layer((0.52, 0.48, 0.42), s.stored("pebble", 0.55, 1.0), 0.9)
    s.layer((0.08, 0.12, 0.025), s.noise(0.10, 0.46, 0.56, detail=5), 0.8)
    slab = s.stored("block", 0.25, 0.6)
    s.layer((0.36, 0.34, 0.31), slab)
    s.layer((0.24, 0.20, 0.17), s.both(slab, s.stored("stone", 0.1, 0.9)), 0.8)
    s.layer((0.46, 0.40, 0.30), s.both(slab, s.noise(0.09, 0.5, 0.62, detail=5)), 0.75)
    s.layer((0.10, 0.095, 0.09), s.both(slab, s.noise(0.03, 0.52, 0.64, detail=4)), 0.7)
    s.layer(
        (0.66, 0.63, 0.55), s.both(slab, s.both(s.spots(0.040, 0.28, 0.38), s.noise(0.15, 0.48, 0.56))), 0.8
    )
    s.layer((0.12, 0.11, 0.10), s.noise(0.009, 0.53, 0.63), 0.8)
    s.layer((0.70, 0.66, 0.58), s.noise(0.007, 0.58, 0.68), 0.75)
    s.layer((0.05, 0.045, 0.035), s.stored("relief", 0.0, -0.008), 0.5)
    grass = s.stored("grass", 0.3, 0.75)
    s.layer((0.065, 0.10, 0.028), grass)
    s.layer((0.13, 0.17, 0.05), s.both(grass, s.noise(0.06, 0.47, 0.6, detail=4)), 0.9)
    s.layer((0.03, 0.05, 0.014), s.both(grass, s.noise(0.018, 0.50, 0.62)), 0.85)
    s.layer((0.24, 0.21, 0.10), s.both(grass, s.noise(0.5, 0.52, 0.66, detail=5)), 0.7)
    return s.finish((0.29, 0.27, 0.22))


def foliage():
    """Clipped yew: light tips over a dark inside."""
    s = Surface("Foliage", (0.035, 0.065, 0.018))
    s.layer((0.10, 0.16, 0.035), s.noise(0.20, 0.45, 0.6, detail=4))
    s.layer((0.17, 0.22, 0.05), s.grains(0.06, 0.6, 1.0), 0.7)
    s.layer((0.02, 0.035, 0.012), s.noise(0.07, 0.5, 0.62, detail=3), 0.8)
    return s.finish((0.06, 0.09, 0.025))


def sun_and_sky() -> None:
    """Morning sun from the front left with soft shadows, under a physical sky."""
    elevation, azimuth = math.radians(42), math.radians(-128)
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("Sky")
    scene.world.use_nodes = True
    nodes = scene.world.node_tree.nodes
    sky = nodes.new("ShaderNodeTexSky")
    kinds = sky.bl_rna.properties["sky_type"].enum_items.keys()
    sky.sky_type = "MULTIPLE_SCATTERING" if "MULTIPLE_SCATTERING" in kinds else "NISHITA"
    sky.sun_disc = False
    sky.sun_elevation = elevation
    sky.sun_rotation = math.pi / 2 - azimuth
    background = nodes["Background"]
    background.inputs["Strength"].default_value = 0.13
    scene.world.node_tree.links.new(sky.outputs[0], background.inputs["Color"])
    lamp = bpy.data.lights.new("Sun", "SUN")
    lamp.energy, lamp.angle, lamp.color = 3.9, math.radians(3.0), (1.0, 0.93, 0.82)
    sun = bpy.data.objects.new("Sun", lamp)
    sun.rotation_euler = (0, math.pi / 2 - elevation, azimuth)
    scene.collection.objects.link(sun)
