using System.Globalization;
using System.Text;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using Npgsql;

namespace LocalPlus.Sidecar.State;

/// <summary>
/// The connection of a state.postgresql component in Npgsql's terms. Dapr's components hold a libpq connection string
/// (<c>host=… dbname=…</c>, or a postgres:// URL) or the parts of one.
/// </summary>
public static class PostgresSettings
{
    private static readonly (string Setting, string Key)[] Overrides =
    [
        ("host", "host"),
        ("port", "port"),
        ("user", "user"),
        ("password", "password"),
        ("database", "dbname"),
        ("sslRootCert", "sslrootcert"),
    ];

    /// <summary>
    /// Builds the connection string. Throws <see cref="ComponentException"/> for what libpq would not understand.
    /// </summary>
    public static NpgsqlConnectionStringBuilder From(Component component)
    {
        var text = component.Get("connectionString") ?? component.Get("url") ?? "";
        var parts =
            text.StartsWith("postgres://", StringComparison.Ordinal)
            || text.StartsWith("postgresql://", StringComparison.Ordinal)
                ? FromUrl(text)
                : FromPairs(text);
        foreach (var (setting, key) in Overrides)
        {
            if (component.Get(setting) is { } value)
            {
                parts[key] = value;
            }
        }
        if (!parts.ContainsKey("host"))
        {
            throw new ComponentException("missing connection string or host");
        }
        var builder = new NpgsqlConnectionStringBuilder
        {
            ApplicationName = "daprd",
            Timeout = 5,
            CommandTimeout = (int)component.Duration("timeout", Limits.PostgresTimeout).TotalSeconds,
            MaxPoolSize = Math.Max(1, component.Int("maxConns", Math.Max(4, Environment.ProcessorCount * 4))),
            MaxAutoPrepare = 20,
            AutoPrepareMinUsages = 2,
        };
        foreach (var (key, value) in parts)
        {
            Apply(builder, key, value);
        }
        return builder;
    }

    private static void Apply(NpgsqlConnectionStringBuilder builder, string key, string value)
    {
        switch (key)
        {
            case "host" or "hostaddr":
                builder.Host = value;
                break;
            case "port":
                builder.Port = int.TryParse(value, out var port)
                    ? port
                    : throw new ComponentException($"invalid port {value}");
                break;
            case "user":
                builder.Username = value;
                break;
            case "password":
                builder.Password = value;
                break;
            case "dbname" or "database":
                builder.Database = value;
                break;
            case "sslmode":
                builder.SslMode = Ssl(value);
                break;
            case "sslrootcert":
                builder.RootCertificate = value;
                break;
            case "connect_timeout":
                builder.Timeout = int.TryParse(value, out var seconds) ? seconds : builder.Timeout;
                break;
            case "application_name":
                builder.ApplicationName = value;
                break;
            case "pool_max_conns":
                builder.MaxPoolSize = int.TryParse(value, out var size) && size > 0 ? size : builder.MaxPoolSize;
                break;
            case "search_path":
                builder.SearchPath = value;
                break;
            default:
                // pgx knows more settings of its own; they tune and do not change where the data lies.
                break;
        }
    }

    private static SslMode Ssl(string value) =>
        value switch
        {
            "disable" => SslMode.Disable,
            "allow" => SslMode.Allow,
            "prefer" => SslMode.Prefer,
            "require" => SslMode.Require,
            "verify-ca" => SslMode.VerifyCA,
            "verify-full" => SslMode.VerifyFull,
            _ => throw new ComponentException($"sslmode is invalid: {value}"),
        };

    /// <summary><c>key=value</c> pairs; a value in single quotes may hold blanks and backslash escapes.</summary>
    private static Dictionary<string, string> FromPairs(string text)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rest = text.AsSpan().Trim();
        while (!rest.IsEmpty)
        {
            var equals = rest.IndexOf('=');
            if (equals < 0)
            {
                throw new ComponentException("cannot parse connectionString: invalid keyword/value");
            }
            var key = rest[..equals].Trim().ToString();
            rest = rest[(equals + 1)..].TrimStart();
            var value = new StringBuilder();
            var quoted = !rest.IsEmpty && rest[0] == '\'';
            var i = quoted ? 1 : 0;
            for (; i < rest.Length && (quoted ? rest[i] != '\'' : !char.IsWhiteSpace(rest[i])); i++)
            {
                if (rest[i] == '\\' && i + 1 < rest.Length)
                {
                    i++;
                }
                value.Append(rest[i]);
            }
            parts[key] = value.ToString();
            rest = i >= rest.Length ? [] : rest[(i + 1)..].TrimStart();
        }
        return parts;
    }

    private static Dictionary<string, string> FromUrl(string text)
    {
        var url = new Uri(text);
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["host"] = url.Host };
        if (url.Port > 0)
        {
            parts["port"] = url.Port.ToString(CultureInfo.InvariantCulture);
        }
        if (url.AbsolutePath.Length > 1)
        {
            parts["dbname"] = Uri.UnescapeDataString(url.AbsolutePath[1..]);
        }
        var credentials = url.UserInfo.Split(':', 2);
        if (credentials[0].Length > 0)
        {
            parts["user"] = Uri.UnescapeDataString(credentials[0]);
        }
        if (credentials.Length > 1)
        {
            parts["password"] = Uri.UnescapeDataString(credentials[1]);
        }
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var cut = pair.Split('=', 2);
            parts[cut[0]] = cut.Length > 1 ? Uri.UnescapeDataString(cut[1]) : "";
        }
        return parts;
    }
}
