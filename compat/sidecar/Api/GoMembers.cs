using System.Text.Json;

namespace LocalPlus.Sidecar.Api;

/// <summary>Members as Go's decoder finds them: the exact name first, else any that differs only in case.</summary>
internal static class GoMembers
{
    public static bool TryGetMember(this JsonElement element, string name, out JsonElement value)
    {
        if (element.TryGetProperty(name, out value))
        {
            return true;
        }
        foreach (var member in element.EnumerateObject())
        {
            if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                value = member.Value;
                return true;
            }
        }
        return false;
    }
}
