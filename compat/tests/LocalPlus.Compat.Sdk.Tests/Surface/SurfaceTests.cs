using System.Reflection;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Surface;

/// <summary>Nothing of compat/sdk can be used that the official SDKs do not have, so no code can come to depend on it.</summary>
public sealed class SurfaceTests
{
    private const string StandIn = "LocalPlus.Compat.";

    public static TheoryData<string> StandIns =>
        [.. Assembly.GetExecutingAssembly().GetReferencedAssemblies().Select(assembly => assembly.Name!)
            .Where(name => name.StartsWith(StandIn, StringComparison.Ordinal) && name != $"{StandIn}Protos")];

    [Theory]
    [MemberData(nameof(StandIns))]
    public void Every_public_member_exists_in_the_official_SDK_with_the_same_signature(string standIn)
    {
        var unknown = PublicSurface.Of(Assembly.Load(standIn)).Except(Official(), StringComparer.Ordinal).ToList();

        Assert.True(unknown.Count == 0, string.Join('\n', unknown));
    }

    private static IEnumerable<string> Official()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("official-surface.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
