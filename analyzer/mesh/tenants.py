"""Suffixes below which anybody may own a name: the public suffix list, and domains of many tenants beyond it.

Each of these is a service that gives its customers names of their own below it, as its documentation says; a
wildcard there would admit everybody's. The list of publicsuffix.org holds the others, in its private section.
"""

from functools import lru_cache

from publicsuffixlist import PublicSuffixList

SHARED_DOMAINS = frozenset(
    (
        "akamaitechnologies.com",
        "algolia.net",
        "algolianet.com",
        "aliyuncs.com",
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazoncognito.com",
        "appdomain.cloud",
        "atlassian.net",
        "auth0.com",
        "azmk8s.io",
        "azure.com",
        "azure.net",
        "azurecr.io",
        "azuredatabricks.net",
        "azuresynapse.net",
        "b-cdn.net",
        "backblazeb2.com",
        "bluemix.net",
        "box.com",
        "cdn77.org",
        "chinacloudapi.cn",
        "clickhouse.cloud",
        "cloudamqp.com",
        "cloudflarestorage.com",
        "cockroachlabs.cloud",
        "confluent.cloud",
        "databricks.com",
        "docusign.net",
        "dropboxusercontent.com",
        "dynatrace.com",
        "egnyte.com",
        "elastic-cloud.com",
        "fastly.net",
        "firebaseio.com",
        "force.com",
        "found.io",
        "freshdesk.com",
        "freshservice.com",
        "googleapis.com",
        "googleusercontent.com",
        "grafana.net",
        "hashicorp.cloud",
        "ibm.com",
        "jfrog.io",
        "kxcdn.com",
        "llnwd.net",
        "loggly.com",
        "mktoapi.com",
        "mongodb.net",
        "myhuaweicloud.com",
        "myqcloud.com",
        "myworkday.com",
        "neon.tech",
        "netsuite.com",
        "okta.com",
        "oktapreview.com",
        "on.aws",
        "ondemand.com",
        "onelogin.com",
        "oraclecloud.com",
        "ovh.net",
        "pkg.dev",
        "psdb.cloud",
        "redis-cloud.com",
        "redislabs.com",
        "salesforce.com",
        "scw.cloud",
        "sentry.io",
        "service-now.com",
        "sharepoint.com",
        "slack.com",
        "snowflakecomputing.com",
        "splunkcloud.com",
        "stackpathcdn.com",
        "statuspage.io",
        "upstash.io",
        "wasabisys.com",
        "windows.net",
        "workday.com",
        "zendesk.com",
    )
)


@lru_cache
def public_suffixes(*, unknown: bool = True, private: bool = True) -> PublicSuffixList:
    """The list of publicsuffix.org, parsed once for all who ask alike.

    With `unknown`, the last label of any name is a suffix; without `private`, only what registries say counts.
    """
    return PublicSuffixList(accept_unknown=unknown, only_icann=not private)
