using System.Reflection;

namespace LocalPlus.Client;

/// <summary>Which build this is.</summary>
internal static class Build
{
    /// <summary>Without what the compiler adds behind a plus.</summary>
    public static string Version { get; } =
        typeof(Build)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
}
