using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Api;

/// <summary>
/// The Configuration's spec.api: without a list for a protocol everything is open; denied beats allowed.
/// </summary>
internal sealed class ApiAccess
{
    private readonly List<ApiRule> allowed;
    private readonly List<ApiRule> denied;

    public ApiAccess(ConfigurationSpec configuration, string protocol)
    {
        allowed = For(configuration.AllowedApis);
        denied = For(configuration.DeniedApis);

        List<ApiRule> For(IEnumerable<ApiRule> rules) =>
            [
                .. rules.Where(r =>
                    r.Protocol.Length == 0 || string.Equals(r.Protocol, protocol, StringComparison.OrdinalIgnoreCase)
                ),
            ];
    }

    public bool Restricts => allowed.Count > 0 || denied.Count > 0;

    /// <summary>Whether an API, by the name of its group ("state", "publish", …) and version, may be called.</summary>
    public bool Allows(string name, string version) =>
        !denied.Exists(r => Names(r, name, version))
        && (allowed.Count == 0 || allowed.Exists(r => Names(r, name, version)));

    private static bool Names(ApiRule rule, string name, string version) =>
        string.Equals(rule.Name, name, StringComparison.OrdinalIgnoreCase)
        && (rule.Version.Length == 0 || rule.Version == version);
}
