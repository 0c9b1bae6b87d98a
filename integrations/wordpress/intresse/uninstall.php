<?php
/**
 * Deletes the settings. There is nothing else: no visitor's data is ever stored in WordPress.
 *
 * @package Intresse
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

if ( is_multisite() ) {
	foreach ( get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) as $intresse_site ) {
		delete_blog_option( $intresse_site, 'intresse' );
	}
} else {
	delete_option( 'intresse' );
}
