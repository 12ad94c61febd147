namespace LocalPlus.Gateway;

/// <summary>How a rule's path is compared: whole path elements from the start, or the whole path.</summary>
internal enum PathMatch
{
    Prefix,
    Exact,
}

/// <summary>
/// One path and where it goes. <see cref="Backend"/> is "name:port" of the Kubernetes service; null times mean the
/// gateway's default.
/// </summary>
internal sealed record Route(PathMatch Match, string Path, string Backend, TimeSpan? Request, TimeSpan? BackendRequest);

/// <summary>The routes say something that this gateway does not do; silently leaving it out would be a lie.</summary>
internal sealed class RouteException(string message) : Exception(message);
